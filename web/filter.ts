// <fl-filter> around a table: an input that hides the rows which lack the words typed.

class Filter extends HTMLElement {
  connectedCallback(): void {
    const rows = Array.from(this.querySelectorAll<HTMLTableRowElement>("tbody tr"));
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("output");
    input.type = "search";
    input.placeholder = "function, product, version …";
    label.append("Filter", input, count);
    this.prepend(label);

    const texts = rows.map((row) => (row.textContent ?? "").toLowerCase());
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !words.every((word) => texts[i].includes(word));
        if (!row.hidden) shown += 1;
      });
      count.textContent = words.length === 0 ? "" : `${shown} of ${rows.length} on this page`;
    });
  }
}

customElements.define("fl-filter", Filter);
