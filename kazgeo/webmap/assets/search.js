/* Search box: finds a unit by any of its names, whatever keyboard the reader has. */
"use strict";
window.kazgeo = window.kazgeo || {};

(function (kazgeo) {
  // Kazakh letters are often typed on a Russian keyboard, and Latin i stands in for Kazakh і in real tables
  const FOLDED = { "ә": "а", "ғ": "г", "қ": "к", "ң": "н", "ө": "о", "ұ": "у", "ү": "у", "һ": "х", "і": "и", "i": "и", "ё": "е" };
  const LIMIT = 8;

  function fold(text) {
    return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "")
      .replace(/[әғқңөұүһіiё]/g, letter => FOLDED[letter]);
  }

  // rank 0: the name begins so, 1: a word in it begins so, 2: it is somewhere inside
  function rank(name, query) {
    const at = name.indexOf(query);
    if (at <= 0) return at < 0 ? 9 : 0;
    return /[\s\-–(«"']/.test(name[at - 1]) ? 1 : 2;
  }

  kazgeo.search = function (units, words, chosen, isShown) {
    const input = document.getElementById("kz-query");
    const list = document.getElementById("kz-hits");
    const said = document.getElementById("kz-search-said");
    let hits = [], active = -1, folded = null;

    function find(text) {
      folded = folded || units.map(unit => unit.names.map(fold));
      const query = fold(text.trim());
      if (!query) return null;
      const found = [];
      folded.forEach((names, i) => {
        let best = 9, which = 0;
        names.forEach((name, k) => { const r = rank(name, query); if (r < best) { best = r; which = k; } });
        if (best < 9) found.push({ unit: units[i], rank: best, which, i });
      });
      found.sort((a, b) => a.rank - b.rank || isShown(b.unit) - isShown(a.unit) || a.unit.names[0].length - b.unit.names[0].length || a.i - b.i);
      return found;
    }

    // what tells namesakes apart: the name that was found, the kind of unit, its code
    function detail(hit) {
      const name = hit.unit.names[0], twice = hits.filter(other => other.unit.names[0] === name).length > 1;
      const parts = [hit.which > 0 ? hit.unit.names[hit.which] : "", hit.unit.kind, twice ? hit.unit.code : ""];
      return [...new Set(parts.filter(part => part && part !== name))].join(" · ");
    }

    function show(found) {
      list.replaceChildren();
      active = -1;
      hits = found ? found.slice(0, LIMIT) : [];
      hits.forEach((hit, i) => {
        const item = document.createElement("li");
        item.id = "kz-hit-" + i;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.append(hit.unit.names[0]);
        const told = detail(hit);
        if (told) {
          const small = document.createElement("small");
          small.textContent = told;
          item.append(small);
        }
        item.addEventListener("mousedown", event => { event.preventDefault(); choose(i); });
        list.append(item);
      });
      if (found && !found.length) {
        const item = document.createElement("li");
        item.textContent = words.nothing;
        list.append(item);
      }
      said.textContent = !found ? "" : found.length ? words.found.replace("{n}", String(found.length)) : words.nothing;
      list.hidden = !found;
      input.setAttribute("aria-expanded", String(Boolean(found)));
      input.removeAttribute("aria-activedescendant");
    }

    function mark(i) {
      if (!hits.length) return;
      active = (i + hits.length) % hits.length;
      [...list.children].forEach((item, k) => item.setAttribute("aria-selected", String(k === active)));
      input.setAttribute("aria-activedescendant", "kz-hit-" + active);
      list.children[active].scrollIntoView({ block: "nearest" });
    }

    function choose(i) {
      const hit = hits[i];
      if (!hit) return;
      input.value = hit.unit.names[0];
      show(null);
      chosen(hit.unit);
    }

    input.addEventListener("input", () => show(find(input.value)));
    input.addEventListener("blur", () => show(null));
    input.addEventListener("keydown", event => {
      if (event.key === "ArrowDown") mark(active + 1);
      else if (event.key === "ArrowUp") mark(active - 1);
      else if (event.key === "Enter") choose(active < 0 ? 0 : active);
      else if (event.key === "Escape") { input.value = ""; show(null); }
      else return;
      event.preventDefault();
    });
  };
})(window.kazgeo);
