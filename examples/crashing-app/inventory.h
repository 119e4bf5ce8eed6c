// The upper half of the inlined chain: take_stock() calls into ledger.h.
#pragma once

#include "ledger.h"

struct Inventory {
  int count;
  Ledger* ledger;
};

[[gnu::always_inline]] inline int count_shelf(Inventory& inventory, int shelf) {
  const int goods = inventory.count * shelf;
  write_entry(inventory.ledger, goods);
  return goods;
}

[[gnu::always_inline]] inline int take_stock(Inventory& inventory) {
  int total = inventory.count;
  total += count_shelf(inventory, total);
  return total;
}
