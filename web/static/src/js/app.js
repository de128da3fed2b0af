// Every page works without this file: it only makes them quicker to use.
import "htmx.org/dist/htmx.esm.js"; // puts itself on window, where its extension looks for it
import "htmx.org/dist/ext/hx-sse.js";
import "./clock.js";
import "./copy.js";
import "./slots.js";
import "./page.js";
