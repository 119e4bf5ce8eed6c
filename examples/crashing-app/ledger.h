// The lower half of the inlined chain: it ends in a write through a null pointer.
#pragma once

struct Ledger {
  volatile int last_entry;
};

[[gnu::always_inline]] inline void store_number(volatile int* place, int number) {
  *place = number;
}

[[gnu::always_inline]] inline void write_entry(Ledger* ledger, int number) {
  store_number(&ledger->last_entry, number);
}
