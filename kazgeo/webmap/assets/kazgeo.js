/* Draws the page's data with Leaflet. Text from data goes in by textContent and append, never as HTML. */
"use strict";

(function (kazgeo) {
  const SCALE = 1e4;
  const PLAY_MS = 1100;
  const BORDER = "#5b5b5b";
  const byId = id => document.getElementById(id);

  function el(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  }

  async function load() {
    const node = byId("kazgeo-data");
    if (node.type === "application/json") return JSON.parse(node.textContent);
    const bytes = Uint8Array.from(atob(node.textContent), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  /* ---- geometry: ten-thousandths of a degree, each step from the one before ---- */
  function path(steps) {
    const out = new Array(steps.length / 2);
    let x = 0, y = 0;
    for (let i = 0; i < out.length; i++) {
      x += steps[2 * i];
      y += steps[2 * i + 1];
      out[i] = [y / SCALE, x / SCALE];
    }
    return out;
  }

  function latLngs(shape, i) {
    const unit = shape.units[i];
    if (shape.kind === "point") return [unit[1] / SCALE, unit[0] / SCALE];
    return shape.kind === "line" ? unit.map(path) : unit.map(rings => rings.map(path));
  }

  // regions without data are hatched, so that grey is not read as a class
  function hatch(color) {
    const size = 6, ratio = 2, canvas = document.createElement("canvas");
    canvas.width = canvas.height = size * ratio;
    const pen = canvas.getContext("2d");
    pen.fillStyle = color;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.strokeStyle = "rgba(90,90,90,.55)";
    pen.lineWidth = ratio;
    pen.beginPath();
    for (const at of [-1, 0, 1]) {
      pen.moveTo(at * size * ratio - 1, size * ratio + 1);
      pen.lineTo((at + 1) * size * ratio + 1, -1);
    }
    pen.stroke();
    const pattern = pen.createPattern(canvas, "repeat");
    pattern.setTransform(new DOMMatrix().scale(1 / ratio));
    return pattern;
  }

  class Page {
    constructor(map, data) {
      this.map = map;
      this.data = data;
      this.words = data.words;
      // Chromium claims Kazakh but writes 7,278; Russian numbers have the separators that Kazakh ones should
      this.locale = data.language === "kk" ? "ru" : data.language;
      this.radiusScale = window.matchMedia("(max-width: 720px)").matches ? 0.7 : 1;
      this.layers = new Map();
      this.hatches = new Map();
      this.formats = new Map();
      this.touched = false;
      const [west, south, east, north] = data.bounds;
      this.bounds = L.latLngBounds([south, west], [north, east]);
      this.makePanes();
      this.drawBackdrop();
      this.makeControls();
      this.makeTip();
      this.makeList();
      this.makeSlider();
      this.makePanelToggle();
      this.fit();
      this.chooseGroup(0);
      this.watchSize();
      kazgeo.search(this.units(), this.words, unit => this.goTo(unit), unit => unit.shape === this.theme.shape);
    }

    /* ---- panes and layers ---- */
    makePanes() {
      this.renderers = {};
      const panes = { land: 310, data: 400, water: 420, roads: 425, borders: 430, casing: 434, lines: 436, points: 440, marked: 450, cities: 460 };
      for (const [name, z] of Object.entries(panes)) {
        const pane = this.map.createPane("kz-" + name);
        pane.style.zIndex = z;
        // only what can be asked takes the mouse: a canvas would keep it from the one below
        if (name !== "data" && name !== "lines" && name !== "points") pane.style.pointerEvents = "none";
        // a thin line is hard to hit with a mouse, harder with a finger
        const tolerance = name !== "lines" ? 0 : window.matchMedia("(pointer: coarse)").matches ? 10 : 4;
        if (name !== "cities") this.renderers[name] = L.canvas({ pane: "kz-" + name, padding: 0.4, tolerance });
      }
    }

    plain(number, pane, style) {
      const shape = this.data.shapes[number];
      const options = Object.assign({ renderer: this.renderers[pane], pane: "kz-" + pane, interactive: false, smoothFactor: 0.5 }, style);
      const make = shape.kind === "line" ? L.polyline : L.polygon;
      const group = L.layerGroup();
      for (const i of shape.order) group.addLayer(make(latLngs(shape, i), options));
      return group;
    }

    drawBackdrop() {
      const back = this.data.backdrop, map = this.map;
      const sea = "#d6e4ec", land = "#e9e9e6";
      if (back.neighbours !== undefined) {
        document.body.classList.add("kz-sea");
        // the stroke in the fill's colour closes slivers between two sources' borders
        const around = this.plain(back.neighbours, "land", { fillColor: land, fillOpacity: 1, color: "#cbcbc6", weight: 1 }).addTo(map);
        this.around = L.featureGroup(around.getLayers()).getBounds();
      }
      if (back.water !== undefined) {
        this.plain(back.water, "water", { fillColor: sea, fillOpacity: 1, color: "#a9c3d3", weight: 0.5 }).addTo(map);
      }
      if (back.roads !== undefined) {
        this.plain(back.roads, "roads", { fill: false, color: "#7a5a44", weight: 1, opacity: 0.55 }).addTo(map);
      }
      if (back.outline !== undefined) {
        // the country lies below all themes: points, lines and areas that leave ground open, as isochrones do
        this.plain(back.outline, "land", { fillColor: "#fbfaf5", fillOpacity: 1, color: "#a3a39c", weight: 1 }).addTo(map);
        this.overAreas = this.plain(back.outline, "borders", { fill: false, color: "#2f2f2f", weight: 1.1, opacity: 0.8 });
      }
      if (back.cities) this.drawCities(back.cities);
    }

    layer(theme) {
      if (theme.kind === "polygon") {
        if (!this.layers.has(theme.shape)) this.layers.set(theme.shape, this.makeLayer(theme));
        return this.layers.get(theme.shape);
      }
      if (!this.layers.has(theme.id)) this.layers.set(theme.id, this.makeLayer(theme));
      return this.layers.get(theme.id);
    }

    makeLayer(theme) {
      const shape = this.data.shapes[theme.shape], point = theme.kind === "point", line = theme.kind === "line";
      const group = L.featureGroup(), pane = point ? "points" : line ? "lines" : "data";
      group.units = new Map();
      if (line && theme.line.casing) group.casing = this.casing(theme, shape);
      const order = theme.order === null ? shape.order : this.data.columns[theme.order];
      const radius = point ? this.data.columns[theme.radius] : null;
      for (const i of order) {
        if (shape.units[i] === null) continue;
        const options = { renderer: this.renderers[pane], pane: "kz-" + pane, bubblingMouseEvents: false, smoothFactor: 0.5 };
        const drawn = point ? L.circleMarker(latLngs(shape, i), Object.assign(options, { radius: radius[i] * this.radiusScale }))
          : line ? L.polyline(latLngs(shape, i), Object.assign(options, this.look(theme, i))) : L.polygon(latLngs(shape, i), options);
        drawn.unit = i;
        group.units.set(i, drawn);
        group.addLayer(drawn);
      }
      group.on("mouseover mousemove", event => this.point(event.propagatedFrom || event.layer, event.containerPoint));
      group.on("mouseout", () => this.unpoint());
      group.on("click", event => { this.point(event.propagatedFrom || event.layer, event.containerPoint); this.held = true; });
      return group;
    }

    // dark lines below all lines of the layer, so that crossings stay open
    casing(theme, shape) {
      const group = L.layerGroup(), codes = this.data.columns[theme.codes], { color, more } = theme.line.casing;
      for (const i of this.data.columns[theme.order]) {
        if (shape.units[i] === null) continue;
        const options = { renderer: this.renderers.casing, pane: "kz-casing", interactive: false, smoothFactor: 0.5, lineCap: "butt" };
        group.addLayer(L.polyline(latLngs(shape, i), Object.assign(options, { color, weight: this.pen(theme, codes[i]).weight + more, opacity: 1 })));
      }
      return group;
    }

    pen(theme, code) {
      const { widths, dashes } = theme.line, at = code >= 0 ? code : widths.length - 1;
      return { weight: widths[at], dashArray: dashes[at] || null, lineCap: dashes[at] ? "butt" : "round" };
    }

    look(theme, i) {
      const color = this.fill(theme, i);
      if (theme.kind === "line") return Object.assign(this.pen(theme, this.data.columns[theme.codes][i]), { color, opacity: 1, fill: false });
      if (theme.kind === "point") return { fillColor: color, fillOpacity: 0.9, color: "#222", weight: 0.8, opacity: 0.9 };
      return { fillColor: color, fillOpacity: 1, color: BORDER, weight: 0.5, opacity: 0.75 };
    }

    fill(theme, i) {
      const code = this.data.columns[theme.codes][i];
      if (code >= 0) return theme.colors[code];
      if (theme.kind !== "polygon") return theme.missing_color;
      const color = theme.missing_color;
      if (!this.hatches.has(color)) this.hatches.set(color, hatch(color));
      return this.hatches.get(color);
    }

    show(number) {
      const theme = this.data.themes[number], layer = this.layer(theme), point = theme.kind === "point", area = theme.kind === "polygon";
      this.unpoint();
      if (this.shown && this.shown !== layer) {
        this.map.removeLayer(this.shown);
        this.swap(this.shown.casing, false);
      }
      this.swap(this.overAreas, area);
      // an empty canvas above would keep the mouse from the regions below
      this.map.getPane("kz-points").style.pointerEvents = point ? "" : "none";
      this.map.getPane("kz-lines").style.pointerEvents = theme.kind === "line" ? "" : "none";
      this.map.getContainer().classList.toggle("kz-on-points", point);
      layer.units.forEach((drawn, i) => drawn.setStyle(this.look(theme, i)));
      this.swap(layer.casing, true);
      if (!this.map.hasLayer(layer)) this.map.addLayer(layer);
      this.shown = layer;
      this.theme = theme;
      this.drawLegend(theme);
      const step = this.group.steps[this.group.themes.indexOf(number)];
      const now = step && !theme.title.includes(step) ? theme.title + ", " + step : theme.title;
      byId("kz-now").textContent = now;
      this.map.getContainer().setAttribute("aria-label", this.words.map + ": " + now);
    }

    swap(layer, wanted) {
      if (layer && wanted !== this.map.hasLayer(layer)) wanted ? this.map.addLayer(layer) : this.map.removeLayer(layer);
    }

    /* ---- cities: a label is hidden when it would cover one of a larger city ---- */
    drawCities(cities) {
      this.cities = cities.map(([name, x, y]) => {
        const text = el("span", "", name), icon = el("div", "", el("i"), text);
        const marker = L.marker([y / SCALE, x / SCALE], {
          pane: "kz-cities", interactive: false, keyboard: false, icon: L.divIcon({ className: "kz-city", html: icon, iconSize: null }),
        }).addTo(this.map);
        return { marker, text };
      });
      this.map.on("zoomend", () => this.placeCities());
    }

    placeCities() {
      if (!this.cities) return;
      const taken = [], zoom = this.map.getZoom();
      const free = box => taken.every(t => box[2] < t[0] || box[0] > t[2] || box[3] < t[1] || box[1] > t[3]);
      for (const { marker, text } of this.cities) {
        const at = this.map.project(marker.getLatLng(), zoom), w = text.offsetWidth, h = 14, icon = marker.getElement();
        const spots = [[6, -h / 2], [-w - 6, -h / 2], [-w / 2, -h - 4], [-w / 2, 5]];
        const box = spot => [at.x + spot[0] - 2, at.y + spot[1] - 1, at.x + spot[0] + w + 2, at.y + spot[1] + h + 1];
        const dot = [at.x - 3, at.y - 3, at.x + 3, at.y + 3];
        const spot = free(dot) ? spots.find(s => free(box(s))) : undefined;
        icon.classList.toggle("kz-off", !spot);
        if (!spot) continue;
        text.style.left = spot[0] + "px";
        text.style.top = spot[1] + "px";
        taken.push(box(spot), dot);
      }
    }

    /* ---- controls ---- */
    makeControls() {
      const map = this.map, words = this.words, page = this;
      L.control.zoom({ position: "topleft", zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out }).addTo(map);
      const Full = L.Control.extend({
        onAdd() {
          const button = el("a"), bar = el("div", "leaflet-bar kz-full", button);
          const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
          svg.setAttribute("viewBox", "0 0 16 16");
          svg.setAttribute("aria-hidden", "true");
          const lines = document.createElementNS("http://www.w3.org/2000/svg", "path");
          lines.setAttribute("d", "M1 5V1h4M11 1h4v4M15 11v4h-4M5 15H1v-4");
          lines.setAttribute("fill", "none");
          lines.setAttribute("stroke", "currentColor");
          lines.setAttribute("stroke-width", "2");
          svg.append(lines);
          button.append(svg);
          button.href = "#";
          button.title = words.extent;
          button.setAttribute("role", "button");
          button.setAttribute("aria-label", words.extent);
          L.DomEvent.disableClickPropagation(bar);
          L.DomEvent.on(button, "click", event => { L.DomEvent.preventDefault(event); page.touched = false; page.release(); page.fit(); });
          return bar;
        },
      });
      new Full({ position: "topleft" }).addTo(map);
      const Scale = L.Control.Scale.extend({
        _updateMetric(maxMeters) {
          const metres = this._getRoundNum(maxMeters);
          const number = n => new Intl.NumberFormat(page.locale).format(n);
          const label = metres < 1000 ? number(metres) + "\u00a0" + words.m : number(metres / 1000) + "\u00a0" + words.km;
          this._mScale.style.width = Math.round(this.options.maxWidth * metres / maxMeters) + "px";
          this._mScale.textContent = label;
        },
      });
      new Scale({ position: "bottomleft", imperial: false, maxWidth: 140 }).addTo(map);
    }

    fit() {
      this.fitting = true;
      this.map.setMinZoom(0);
      this.map.invalidateSize({ pan: false });
      this.map.fitBounds(this.bounds, { padding: [12, 12], animate: false });
      // one step further out, but not so far that the surroundings end within the window
      const whole = this.map.getZoom(), least = this.around ? this.map.getBoundsZoom(this.around, true) : 0;
      this.map.setMinZoom(Math.min(whole, Math.max(0, whole - 1, least)));
      this.map.setMaxZoom(Math.max(14, this.map.getZoom() + 4));
      this.map.setMaxBounds(this.bounds.pad(0.6));
      this.placeCities();
      this.fitting = false;
    }

    // the whole map stays whole when the window changes, until the reader moves it
    watchSize() {
      this.map.on("dragstart zoomstart", () => { if (!this.fitting) this.touched = true; });
      new ResizeObserver(() => { this.touched ? this.map.invalidateSize() : this.fit(); }).observe(this.map.getContainer());
    }

    makePanelToggle() {
      const button = byId("kz-toggle"), narrow = window.matchMedia("(max-width: 720px)").matches;
      if (narrow) byId("kz-themes").open = false;
      button.addEventListener("click", () => {
        const closed = document.body.classList.toggle("kz-closed");
        button.setAttribute("aria-expanded", String(!closed));
        button.textContent = closed ? this.words.show : this.words.hide;
      });
    }

    kinds() {
      return [["polygon", this.words.areas], ["point", this.words.points], ["line", this.words.lines]];
    }

    makeList() {
      const list = byId("kz-theme-list"), kinds = this.kinds();
      for (const [kind, title] of kinds) {
        const entries = this.data.groups.map((group, i) => [group, i]).filter(([group]) => group.kind === kind);
        if (!entries.length) continue;
        const field = el("fieldset", "", el("legend", "", title));
        for (const [group, i] of entries) {
          const input = el("input");
          input.type = "radio";
          input.name = "kz-theme";
          input.value = String(i);
          input.checked = i === 0;
          input.addEventListener("change", () => this.chooseGroup(i));
          field.append(el("label", "", input, el("span", "", group.title)));
        }
        list.append(field);
      }
      byId("kz-themes").hidden = this.data.groups.length < 2;
    }

    chooseGroup(number) {
      this.stop();
      this.group = this.data.groups[number];
      const steps = this.group.steps, range = byId("kz-range");
      byId("kz-slider").hidden = !steps.length;
      if (!steps.length) { this.show(this.group.themes[0]); return; }
      range.max = String(steps.length - 1);
      this.setStep(steps.length - 1);
    }

    /* ---- slider over the steps of a group ---- */
    makeSlider() {
      byId("kz-range").addEventListener("input", event => { this.stop(); this.setStep(Number(event.target.value)); });
      byId("kz-play").addEventListener("click", () => { this.timer ? this.stop() : this.play(); });
    }

    setStep(step) {
      const range = byId("kz-range"), label = this.group.steps[step];
      range.value = String(step);
      range.setAttribute("aria-valuetext", label);
      byId("kz-step").textContent = label;
      this.show(this.group.themes[step]);
    }

    play() {
      const last = this.group.steps.length - 1, range = byId("kz-range");
      if (Number(range.value) === last) this.setStep(0);
      this.timer = setInterval(() => {
        this.setStep(Math.min(last, Number(range.value) + 1));
        if (Number(range.value) === last) this.stop();
      }, PLAY_MS);
      this.labelPlay(this.words.pause, true);
    }

    stop() {
      clearInterval(this.timer);
      this.timer = null;
      this.labelPlay(this.words.play, false);
    }

    labelPlay(text, playing) {
      const button = byId("kz-play");
      button.classList.toggle("kz-playing", playing);
      button.title = text;
      button.setAttribute("aria-label", text);
    }

    /* ---- legend ---- */
    drawLegend(theme) {
      const legend = theme.legend, point = theme.kind === "point", box = byId("kz-legend");
      const row = (color, label, count, missing, code) => {
        if (theme.line) return el("tr", "", el("td", "", this.stroke(theme, color, code)), el("td", "", label), el("td", "", count));
        const swatch = el("span", "kz-swatch" + (point ? " kz-point" : "") + (missing && !point ? " kz-missing" : ""));
        swatch.style.backgroundColor = color;
        return el("tr", "", el("td", "", swatch), el("td", "", label), el("td", "", count));
      };
      const head = el("th", "", legend.rows.some((r) => r.count !== "") ? this.words.count : "");
      head.colSpan = 3;
      head.scope = "col";
      const table = el("table", "", el("thead", "", el("tr", "", head)), el("tbody"));
      const body = table.lastChild;
      legend.rows.forEach((r, code) => body.append(row(r.color, r.label, r.count, false, code)));
      for (const r of [legend.outside, legend.missing]) {
        if (r && r.count !== "0") body.append(row(theme.missing_color, r.label, r.count, true, -1));
      }
      box.replaceChildren(el("h2", "", legend.title));
      if (legend.unit) box.append(el("p", "kz-unit", legend.unit));
      box.append(table);
      if (legend.sizes) this.drawSizes(box, legend.sizes);
      if (legend.unplaced) box.append(el("p", "kz-lost", legend.unplaced));
      if (legend.note) box.append(el("p", "kz-note", legend.note));
    }

    // the legend's line as it is on the map
    stroke(theme, color, code) {
      const make = (name, values) => {
        const node = document.createElementNS("http://www.w3.org/2000/svg", name);
        for (const [key, value] of Object.entries(values)) node.setAttribute(key, value);
        return node;
      };
      const svg = make("svg", { class: "kz-stroke", viewBox: "0 0 26 9", "aria-hidden": "true" }), pen = this.pen(theme, code);
      const line = (stroke, width, dash) => make("line", { x1: 0, x2: 26, y1: 4.5, y2: 4.5, stroke, "stroke-width": width, "stroke-dasharray": dash || "none" });
      if (theme.line.casing) svg.append(line(theme.line.casing.color, pen.weight + theme.line.casing.more));
      svg.append(line(color, pen.weight, pen.dashArray));
      return svg;
    }

    drawSizes(box, sizes) {
      const rows = el("div", "kz-sizes");
      for (const { radius, label } of sizes.rows) {
        const circle = el("i");
        circle.style.width = circle.style.height = 2 * radius * this.radiusScale + "px";
        rows.append(el("div", "", circle, label));
      }
      const unit = sizes.unit ? ", " + sizes.unit : "";
      box.append(el("p", "kz-size-label", this.words.size + ": " + sizes.label + unit), rows);
    }

    /* ---- tooltip ---- */
    makeTip() {
      this.tip = el("div", "kz-tip");
      this.tip.hidden = true;
      this.tip.setAttribute("role", "status");
      this.map.getContainer().append(this.tip);
      this.map.on("click dragstart", () => this.release());
      this.map.on("zoomstart", () => { if (!this.flying) this.release(); });
      document.addEventListener("keydown", event => { if (event.key === "Escape") this.release(); });
    }

    number(value, decimals) {
      if (typeof value === "string") return value;
      if (!this.formats.has(decimals)) {
        this.formats.set(decimals, new Intl.NumberFormat(this.locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
      }
      return this.formats.get(decimals).format(value);
    }

    text(field, i, missing) {
      const value = this.data.columns[field.column][i];
      if (value === null) return missing;
      return this.number(value, field.decimals) + (field.unit ? "\u00a0" + field.unit.replace(/ /g, "\u00a0") : "");
    }

    fillTip(i) {
      const theme = this.theme, name = theme.names === null ? "" : el("strong", "", this.data.columns[theme.names][i]), list = el("dl"), chip = el("span", "kz-chip");
      const code = this.data.columns[theme.codes][i];
      chip.style.backgroundColor = code < 0 ? theme.missing_color : theme.colors[code];
      list.append(el("dt", "kz-drawn", theme.value.label), el("dd", "kz-drawn", chip, this.text(theme.value, i, theme.value.missing)));
      for (const field of theme.fields) list.append(el("dt", "", field.label), el("dd", "", this.text(field, i, this.words.missing)));
      this.tip.replaceChildren(name, list);
    }

    point(drawn, at) {
      if (!drawn || drawn.unit === undefined) return;
      if (this.pointed !== drawn) {
        this.fillTip(drawn.unit);
        this.mark(drawn);
        this.pointed = drawn;
      }
      this.held = false;
      this.tip.hidden = false;
      this.moveTip(at);
    }

    moveTip(at) {
      const size = this.map.getSize(), w = this.tip.offsetWidth, h = this.tip.offsetHeight, gap = 14;
      const x = at.x + gap + w <= size.x - 4 ? at.x + gap : at.x - gap - w;
      const y = at.y + gap + h <= size.y - 4 ? at.y + gap : at.y - gap - h;
      const inside = (v, most) => Math.max(4, Math.min(v, most));
      this.tip.style.transform = `translate(${inside(x, size.x - w - 4)}px, ${inside(y, size.y - h - 4)}px)`;
    }

    unpoint() {
      if (!this.held) this.release();
    }

    release() {
      this.held = false;
      this.pointed = null;
      this.tip.hidden = true;
      this.mark(null);
    }

    mark(drawn) {
      if (this.marked) this.map.removeLayer(this.marked);
      this.marked = null;
      if (!drawn) return;
      const options = { renderer: this.renderers.marked, pane: "kz-marked", interactive: false, fill: false, color: "#111", weight: 2.2, smoothFactor: 0.5 };
      if (drawn.options.pane === "kz-lines") {
        const { color, weight } = drawn.options, wide = Object.assign({}, options, { weight: weight + 4 }), inner = Object.assign({}, options, { color, weight });
        this.marked = L.layerGroup([L.polyline(drawn.getLatLngs(), wide), L.polyline(drawn.getLatLngs(), inner)]);
      } else this.marked = drawn instanceof L.CircleMarker
        ? L.circleMarker(drawn.getLatLng(), Object.assign(options, { radius: drawn.getRadius() + 1.5 }))
        : L.polygon(drawn.getLatLngs(), options);
      this.marked.addTo(this.map);
    }

    /* ---- search ---- */
    units() {
      const shapes = [...new Set(this.data.themes.map(theme => theme.shape))], out = [];
      for (const number of shapes) {
        const kind = this.kinds().find(([k]) => k === this.data.shapes[number].kind)[1];
        const shape = this.data.shapes[number], columns = shape.names.map(c => this.data.columns[c]);
        shape.units.forEach((unit, i) => {
          const names = [...new Set(columns.map(c => c[i]).filter(name => name))];
          if (unit !== null && names.length) out.push({ shape: number, i, names, kind: shapes.length > 1 ? kind : "", code: columns[columns.length - 1][i] });
        });
      }
      return out;
    }

    goTo(unit) {
      const theme = this.theme.shape === unit.shape ? this.theme : this.data.themes.find(t => t.shape === unit.shape);
      const drawn = this.layer(theme).units.get(unit.i);
      this.touched = true;
      this.flying = true;
      const bounds = drawn.getBounds ? drawn.getBounds() : drawn.getLatLng().toBounds(60000);
      this.map.fitBounds(bounds, { padding: [40, 40], maxZoom: 10, animate: false });
      this.flying = false;
      this.release();
      const at = this.map.latLngToContainerPoint(bounds.getCenter());
      if (theme === this.theme) {
        this.point(drawn, at);
      } else {
        this.tip.replaceChildren(el("strong", "", unit.names[0]));
        this.tip.hidden = false;
        this.moveTip(at);
        this.mark(drawn);
      }
      this.held = true;
    }
  }

  kazgeo.start = function (map) {
    const message = byId("kz-message");
    load().then(data => {
      kazgeo.page = new Page(map, data);
      message.hidden = true;
      document.documentElement.dataset.kazgeo = "ready";
    }).catch(error => {
      message.textContent = typeof DecompressionStream === "undefined" ? message.dataset.old : String(error);
      document.documentElement.dataset.kazgeo = "failed";
      throw error;
    });
  };
})(window.kazgeo);
