// The waiting handler: one client, one socket, one thread, nearly no memory until a crash.
// A datagram that makes no sense is dropped; the client's end of file ends us.
// Who crashed is what the kernel says (credentials of the datagram), never what the client says.
// Not the dump: report_writer.h.
// Conversation: docs/protocols/client-monitor.md
#pragma once

#include <cstdint>

namespace handler {

// Serves the client on these descriptors until it is gone. Returns the program's exit code.
int run_monitor(int socket_fd, int memory_fd);

// For a program whose waiting handler is gone or stuck: dumps the parent process, once. The page
// is read from the parent's memory. Exit code 0: the dump is in the spool.
int run_at_crash(std::uint64_t page_address, std::uint32_t slot);

}  // namespace handler
