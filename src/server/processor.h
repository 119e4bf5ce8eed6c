// How the server makes a report of a dump: a child with limits analyses it, supply brings the
// symbols that the child lacks.
#pragma once

#include "reports/workers.h"
#include "supply/supply.h"

namespace server {

// `supply` must outlive the workers.
reports::Processor make_processor(supply::Supply& supply);

}  // namespace server
