# docker build -t colorization . && docker run --rm -v "$PWD:/photos" -w /photos colorization predict photo.jpg
FROM python:3.12-slim
COPY . /source
RUN pip install --no-cache-dir '/source[pictures,video]' && rm -rf /source \
    && useradd --create-home person
USER person
ENTRYPOINT ["colorization"]
