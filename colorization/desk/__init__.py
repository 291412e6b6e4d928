"""A photo on a page in the browser: coloured at once, corrected by clicks, downloaded at full resolution."""
