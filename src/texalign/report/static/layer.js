// One network and layer: matrices to look into, the tree cut at any number of clusters, neighbours.
(function (texalign) {
  "use strict";
  const { element, name, unpack, distance, digits, thumb, textures, layer } = texalign;
  const { n, merges, near } = layer;
  const { names, classes, files } = textures;
  const palette = unpack(layer.palette, Uint8Array);

  // Where the textures of each class begin; they stand together.
  const edges = [0];
  for (let i = 1; i <= n; i++) if (i === n || classes[i] !== classes[i - 1]) edges.push(i);
  const order = edges.slice(0, -1).map((i) => names[classes[i]]);

  // ------------------------------------------------------------------------------------- matrices

  function matrix(place, { side, at, shown, marks, labels, read }) {
    const label = place.dataset.label;
    const canvas = element("canvas", { width: 800, height: 800, tabIndex: 0 });
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "matrix");
    canvas.setAttribute("aria-label", `${label}. Arrow keys move from entry to entry.`);
    const button = (text, does, click) => {
      const made = element("button", { type: "button", textContent: text, title: does, onclick: click });
      made.setAttribute("aria-label", does);
      return made;
    };
    const colours = element("span", { className: "colours" });
    const stops = [0, 64, 128, 192, 255].map((c) => `rgb(${palette.slice(3 * c, 3 * c + 3).join(" ")})`);
    colours.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    const bar = element("div", { className: "bar" }, element("span", { textContent: digits(shown[0]) }), colours, element("span", { textContent: digits(shown[1]) }));
    const tools = element("div", { className: "tools" },
      button("+", "Zoom in", () => zoom(2)), button("−", "Zoom out", () => zoom(0.5)), button("Whole", "Show all", () => { view = { x: 0, y: 0, size: side }; draw(); }), bar);
    const reading = element("div", { className: "reading" });
    reading.setAttribute("aria-live", "polite");
    place.append(element("div", {}, canvas, tools), reading);

    // The whole picture once; the view is a part of it.
    const picture = element("canvas", { width: side, height: side });
    const pixels = new ImageData(side, side);
    const span = shown[1] > shown[0] ? shown[1] - shown[0] : 1;
    for (let i = 0; i < side; i++) {
      for (let j = 0; j < side; j++) {
        const value = at(i, j), p = 4 * (i * side + j);
        if (Number.isNaN(value)) continue;
        const c = 3 * Math.max(0, Math.min(255, Math.round((255 * (value - shown[0])) / span)));
        pixels.data.set([palette[c], palette[c + 1], palette[c + 2], 255], p);
      }
    }
    picture.getContext("2d").putImageData(pixels, 0, 0);

    let view = { x: 0, y: 0, size: side };
    let cursor = null;
    const gutter = () => Math.min(130, 0.2 * canvas.width);

    function draw() {
      const pen = canvas.getContext("2d"), left = gutter(), width = canvas.width - left, scale = width / view.size;
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.imageSmoothingEnabled = scale < 1;
      pen.save();
      pen.beginPath();
      pen.rect(left, left, width, width);
      pen.clip();
      pen.drawImage(picture, view.x, view.y, view.size, view.size, left, left, width, width);
      pen.strokeStyle = "rgba(255, 255, 255, 0.7)";
      for (const mark of marks.slice(1, -1)) {
        const [x, y] = [left + (mark - view.x) * scale, left + (mark - view.y) * scale];
        pen.beginPath();
        pen.moveTo(x, left); pen.lineTo(x, canvas.height);
        pen.moveTo(left, y); pen.lineTo(canvas.width, y);
        pen.stroke();
      }
      if (cursor) {
        pen.strokeStyle = "#ff6a00";
        pen.lineWidth = 2;
        const size = Math.max(scale, 5);
        pen.strokeRect(left + (cursor[1] + 0.5 - view.x) * scale - size / 2, left + (cursor[0] + 0.5 - view.y) * scale - size / 2, size, size);
      }
      pen.restore();
      pen.fillStyle = "#1b1f24";
      const letters = Math.round(13 * (canvas.width / Math.max(canvas.clientWidth, 200)));
      pen.font = `${letters}px system-ui, sans-serif`;
      pen.textBaseline = "middle";
      for (const down of [true, false]) {
        let last = -Infinity;
        labels.forEach((text, c) => {
          const from = Math.max(marks[c], down ? view.y : view.x), to = Math.min(marks[c + 1], (down ? view.y : view.x) + view.size);
          const middle = left + ((from + to) / 2 - (down ? view.y : view.x)) * scale;
          if (to <= from || middle < left || middle - last < 1.1 * letters) return;
          last = middle;
          pen.save();
          if (down) pen.translate(left - 6, middle);
          else { pen.translate(middle, left - 6); pen.rotate(-Math.PI / 2); }
          pen.textAlign = down ? "right" : "left";
          pen.fillText(cut(pen, text, left - 10), 0, 0);
          pen.restore();
        });
      }
    }

    function cut(pen, text, room) {
      let short = [...text.replace(/\s+/g, " ").slice(0, 60)];
      if (short.length === [...text].length && pen.measureText(short.join("")).width <= room) return short.join("");
      while (short.length > 1 && pen.measureText(short.join("") + "…").width > room) short.pop();
      return short.join("") + "…";
    }

    function zoom(factor, about) {
      const size = Math.max(Math.min(side / factor > 0 ? view.size / factor : side, side), Math.min(4, side));
      const [fx, fy] = about || (cursor ? [(cursor[1] + 0.5 - view.x) / view.size, (cursor[0] + 0.5 - view.y) / view.size] : [0.5, 0.5]);
      move(view.x + fx * (view.size - size), view.y + fy * (view.size - size), size);
    }

    function move(x, y, size) {
      const clip = (value) => Math.max(0, Math.min(side - size, value));
      view = { x: clip(x), y: clip(y), size };
      canvas.dataset.zoom = (side / size).toFixed(3);
      draw();
    }

    function point(event) {
      const box = canvas.getBoundingClientRect(), left = gutter() / canvas.width;
      return [((event.clientX - box.left) / box.width - left) / (1 - left), ((event.clientY - box.top) / box.height - left) / (1 - left)];
    }

    function select(i, j) {
      if (i < 0 || j < 0 || i >= side || j >= side || (cursor && cursor[0] === i && cursor[1] === j)) return;
      cursor = [i, j];
      canvas.dataset.entry = `${i},${j}`;
      reading.replaceChildren(...read(i, j));
      draw();
    }

    const look = ([x, y]) => { if (x >= 0 && y >= 0) select(Math.floor(view.y + y * view.size), Math.floor(view.x + x * view.size)); };
    texalign.steer(canvas, {
      point, press: look, hover: look, step: 2,
      drag: (x, y) => move(view.x - x * view.size, view.y - y * view.size, view.size),
      zoom: (factor, about) => zoom(factor, about && about.map((part) => Math.max(0, part))),
      key: (x, y, far) => {
        const [i, j] = cursor || [0, 0], step = far ? 10 : 1;
        const within = (entry) => Math.max(0, Math.min(side - 1, entry));
        select(within(i + step * y), within(j + step * x));
        const [a, b] = cursor;
        if (b < view.x || b >= view.x + view.size || a < view.y || a >= view.y + view.size) move(b - view.size / 2, a - view.size / 2, view.size);
      },
    });
    new ResizeObserver(() => {
      const wide = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1));
      if (wide && wide !== canvas.width) { canvas.width = canvas.height = wide; }
      draw();
    }).observe(canvas);
    reading.append(element("p", { textContent: "Point at an entry: its two textures are shown here." }));
    draw();
  }

  const codes = unpack(layer.matrix.codes, Uint16Array);
  const side = layer.matrix.side, exact = layer.matrix.exact;
  const blocks = exact ? null : unpack(layer.matrix.edges, Uint32Array);
  function entry(i, j) {
    if (exact && i === j) return 0;
    const [a, b] = i < j ? [i, j] : [j, i];
    // The upper triangle, row by row, with its diagonal where entries are means.
    return distance(codes[exact ? a * side - (a * (a + 1)) / 2 + b - a - 1 : a * side - (a * (a - 1)) / 2 + b - a], layer.matrix);
  }
  const texture = (i, size) => element("div", {}, thumb(i, size), element("br"), name(files[i]), element("br"), "class ", name(names[classes[i]]));

  function readPair(i, j) {
    const value = element("strong", { textContent: digits(entry(i, j)) });
    value.dataset.distance = entry(i, j);
    const [a, b] = exact ? [i, j] : [blocks[i], blocks[j]];
    const told = exact ? "is their distance" : `is the mean over ${blocks[i + 1] - blocks[i]} × ${blocks[j + 1] - blocks[j]} textures, of which these are the first`;
    return [value, element("p", { textContent: told }), element("div", { className: "two" }, texture(a, 96), texture(b, 96))];
  }

  const scaled = exact ? edges : edges.map((edge) => (edge * side) / n);
  matrix(document.getElementById("rdm"), { side, at: entry, shown: layer.matrix.shown, marks: scaled, labels: order, read: readPair });

  const means = layer.means.map((row) => row.map((value) => (value === null ? NaN : value)));
  const all = means.flat().filter((value) => !Number.isNaN(value));
  matrix(document.getElementById("class-means"), {
    side: order.length, at: (i, j) => means[i][j], shown: [Math.min(...all), Math.max(...all)],
    marks: order.map((_, c) => c).concat(order.length), labels: order,
    read: (i, j) => {
      const value = element("strong", { textContent: digits(means[i][j]) });
      value.dataset.distance = means[i][j];
      return [value, element("p", {}, "is the mean distance of ", name(order[i]), " and ", name(order[j])),
        element("div", { className: "two" }, texture(edges[i], 96), texture(edges[j], 96))];
    },
  });

  // ------------------------------------------------------------------------------------- clusters

  const joins = unpack(merges, Uint32Array);
  texalign.cut = function (k) {
    // The first n - k merges are made; clusters are numbered in the order of their first texture.
    const parent = Array.from({ length: 2 * n - k }, (_, i) => i);
    for (let m = 0; m < n - k; m++) parent[joins[2 * m]] = parent[joins[2 * m + 1]] = n + m;
    const top = (i) => { while (parent[i] !== i) i = parent[i] = parent[parent[i]]; return i; };
    const number = new Map();
    return Array.from({ length: n }, (_, i) => {
      const root = top(i);
      if (!number.has(root)) number.set(root, number.size);
      return number.get(root);
    });
  };

  const slider = document.getElementById("k"), sheet = document.getElementById("clusters");
  const FIRST = 24;
  function sheets() {
    const k = Number(slider.value), groups = Array.from({ length: k }, () => []);
    texalign.cut(k).forEach((cluster, i) => groups[cluster].push(i));
    document.getElementById("k-shown").textContent = k;
    const row = layer.k.indexOf(k);
    document.getElementById("k-bits").textContent = row < 0 ? "" :
      `${k} clusters tell ${layer.bits[row].toFixed(2)} bits of the classes, before the correction for bias that the number above has; adjusted for chance, ${layer.adjusted[row].toFixed(2)} of what there is to tell.`;
    sheet.replaceChildren(...groups.map((group, cluster) => {
      const count = new Map();
      for (const i of group) count.set(classes[i], (count.get(classes[i]) || 0) + 1);
      const sorted = [...count].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      const told = element("p");
      sorted.forEach(([c, many], at) => told.append(at ? ", " : "", name(names[c]), ` ${many}`));
      const pictures = element("div");
      pictures.append(...group.slice(0, FIRST).map((i) => thumb(i, 56)));
      const made = element("section", { className: "cluster" },
        element("h3", { textContent: `Cluster ${cluster}: ${group.length} texture${group.length === 1 ? "" : "s"}` }), told, pictures);
      if (group.length > FIRST) {
        made.append(element("button", {
          type: "button", className: "more", textContent: `Show ${group.length - FIRST} more of cluster ${cluster}`,
          onclick: (event) => { pictures.append(...group.slice(FIRST).map((i) => thumb(i, 56))); event.target.remove(); },
        }));
      }
      return made;
    }));
  }
  let waiting = 0;
  slider.addEventListener("input", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(sheets); });
  sheets();

  // ------------------------------------------------------------------------------------- neighbours

  const nearest = unpack(near.textures, Uint32Array), nearCodes = unpack(near.codes, Uint16Array);
  const shownNear = document.getElementById("neighbours"), found = document.getElementById("found");
  function neighbours(i) {
    const list = element("ol", { className: "near" });
    for (let m = 0; m < near.count; m++) {
      const j = nearest[i * near.count + m], value = distance(nearCodes[i * near.count + m], near);
      const item = element("li", {}, thumb(j, 96), element("br"), name(names[classes[j]]), element("br"), digits(value));
      Object.assign(item.dataset, { texture: j, distance: value });
      list.append(item);
    }
    const same = Array.from({ length: near.count }, (_, m) => classes[nearest[i * near.count + m]] === classes[i]).filter(Boolean).length;
    shownNear.replaceChildren(element("div", { className: "two" }, texture(i, 128)),
      element("p", { textContent: `Of its ${near.count} nearest textures, ${same} are of its own class. The nearest first, with the distance:` }), list);
    shownNear.dataset.texture = i;
  }
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("button.thumb");
    if (!chosen) return;
    neighbours(Number(chosen.dataset.texture));
    document.getElementById("near").scrollIntoView({ block: "start" });
  });
  document.getElementById("search").addEventListener("input", (event) => {
    const asked = event.target.value.trim().toLowerCase();
    const hits = [];
    for (let i = 0; asked && i < n; i++) if (files[i].toLowerCase().includes(asked) || names[classes[i]].toLowerCase().includes(asked)) hits.push(i);
    found.replaceChildren(element("p", { textContent: asked ? `${hits.length} texture${hits.length === 1 ? "" : "s"} found${hits.length > 48 ? "; the first 48" : ""}` : "" }),
      ...hits.slice(0, 48).map((i) => thumb(i, 56)));
  });
  neighbours(0);
})(window.texalign);
