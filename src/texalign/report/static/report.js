// What all pages share: the list of pages, tables that sort, thumbnails, packed numbers.
// Classic scripts only: a page opened from disk may load neither modules nor data by itself.
window.texalign = window.texalign || {};
(function (texalign) {
  "use strict";
  const root = document.body.dataset.root;

  texalign.element = function (name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const element = texalign.element;

  // A name is shown as it is, in its own direction.
  texalign.name = (text) => element("bdi", { textContent: text });

  texalign.unpack = function (text, Type) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Type(bytes.buffer); // little-endian, as every machine with a browser is
  };

  // Codes of distances: 0 is zero, 65535 none, the others lie on a logarithmic scale.
  texalign.distance = function (code, scale) {
    if (code === 65535) return NaN;
    return code === 0 ? 0 : scale.low * Math.exp((code - 1) * scale.step);
  };

  texalign.digits = function (value) {
    return Number.isNaN(value) ? "none" : Number(value.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
  };

  texalign.place = function (i) {
    const across = texalign.textures.across;
    const inSheet = i % (across * across);
    return { sheet: Math.floor(i / (across * across)), row: Math.floor(inSheet / across), column: inSheet % across };
  };

  texalign.thumb = function (i, size, kind) {
    const { files, names, classes, across } = texalign.textures;
    const at = texalign.place(i);
    const label = `${files[i]}, class ${names[classes[i]]}`;
    const made = element(kind || "button", { className: "thumb", title: label });
    made.setAttribute("aria-label", label);
    if (kind) made.setAttribute("role", "img");
    else { made.type = "button"; made.dataset.texture = i; }
    Object.assign(made.style, {
      width: `${size}px`, height: `${size}px`,
      backgroundImage: `url("${root}textures/sheet${at.sheet}.jpg")`,
      backgroundSize: `${across * size}px auto`,
      backgroundPosition: `-${at.column * size}px -${at.row * size}px`,
    });
    return made;
  };

  // Zoom and drag on a canvas, by mouse, one or two fingers, wheel and keys. `point` tells where an event is, in
  // parts of the view; what is done there is up to `hover`, `drag` and `zoom`, and keys beyond + and - to `key`.
  texalign.steer = function (canvas, { point, press, hover, drag, zoom, key, step }) {
    const fingers = new Map();
    const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
    canvas.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, point(event));
      canvas.setPointerCapture(event.pointerId);
      press(point(event));
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      const at = point(event), before = fingers.get(event.pointerId);
      if (!before) return hover(at);
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, where]) => where);
      fingers.set(event.pointerId, at);
      if (other) zoom(apart(at, other) / Math.max(apart(before, other), 0.01), other);
      else drag(at[0] - before[0], at[1] - before[1]);
    });
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 300), point(event)); }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const arrow = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
      if (arrow) key(...arrow, event.shiftKey);
      else if (event.key === "+" || event.key === "=") zoom(step);
      else if (event.key === "-") zoom(1 / step);
      else return;
      event.preventDefault();
    });
  };

  const pages = document.getElementById("pages");
  if (texalign.pages && pages) {
    const known = new Set([...pages.querySelectorAll("a")].map((link) => link.getAttribute("href")));
    for (const [name, file] of texalign.pages) {
      if (!known.has(root + file)) pages.append(element("li", {}, element("a", { href: root + file, textContent: name })));
    }
  }

  const value = (cell) => (cell.dataset.value === undefined ? null : Number(cell.dataset.value));
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = element("button", { type: "button", title: head.title });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "ascending" : "descending");
        const sign = down ? 1 : -1;
        const rows = [...table.tBodies[0].rows].map((row) => [row, row.cells[column]]);
        rows.sort(([, a], [, b]) => {
          const [x, y] = [value(a), value(b)];
          if (x === null && y === null) return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
          if (x === null || y === null) return x === null ? 1 : -1; // what has no value stays below
          return sign * (x - y);
        });
        table.tBodies[0].append(...rows.map(([row]) => row));
      });
    });
  }
})(window.texalign);
