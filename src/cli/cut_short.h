// The commands map the files that they are given. When somebody else cuts one short meanwhile, the
// kernel answers the next look at the lost part with SIGBUS: from here on that ends the program in
// one line that names the file, and with exit code 1, as other trouble with a file does.
// Not for the server: it maps only files of its own, and reads those of others.
// Call once, before there are threads. What was begun stays as after a kill: temporary files.
#pragma once

namespace cli {

void say_when_a_file_is_cut_short();

}  // namespace cli
