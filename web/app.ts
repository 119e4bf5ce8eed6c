// Small help for pages that already work without it: a filter over a table, and a report that
// shows its result as soon as there is one.

import "./filter";
import "./pending";
