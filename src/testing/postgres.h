// A real PostgreSQL for tests: started in a temporary directory, in memory where that has room,
// reached by its socket there, gone with the test process. fsync is off: not for tests about
// durability. One cluster for each test program, made when first asked for. The first on a machine
// takes a second and is kept, unused, in $XDG_CACHE_HOME/faultline for the others, who copy it.
// Tests that need it start with REQUIRE_OR_SKIP(testing_support::have_postgres(), "…").
#pragma once

#include <string>

namespace testing_support {

bool have_postgres();

// The URL of a new, empty database of the cluster: "postgresql:///name?host=…&user=test".
// Fails the test, and returns "", when PostgreSQL cannot be started.
std::string new_postgres_database();

// Restarts the server, cutting all connections, as an operator would.
void restart_postgres();

}  // namespace testing_support
