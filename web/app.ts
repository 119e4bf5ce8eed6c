// Small help for pages that already work without it: a filter over a table, figures that stay up
// to date, and a report that shows its result as soon as there is one.

import "./filter";
import "./live";
import "./pending";
