// All textures as thumbnails, where the distances of a layer put them.
(function (texalign) {
  "use strict";
  const { element, name, unpack, thumb, textures, place } = texalign;
  const { files, names, classes, across, side } = textures;
  const n = files.length, root = document.body.dataset.root;
  const network = document.getElementById("network"), colour = document.getElementById("colour"), only = document.getElementById("only");
  names.forEach((text, c) => only.append(element("option", { value: c, textContent: text })));

  const canvas = element("canvas", { width: 800, height: 800, tabIndex: 0 });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "map");
  canvas.setAttribute("aria-label", `Map of ${n} textures. Arrow keys move it, + and - zoom.`);
  const button = (text, does, click) => {
    const made = element("button", { type: "button", textContent: text, title: does, onclick: click });
    made.setAttribute("aria-label", does);
    return made;
  };
  const tools = element("div", { className: "tools" }, button("+", "Zoom in", () => zoom(1.6)), button("−", "Zoom out", () => zoom(1 / 1.6)), button("Whole", "Show all", () => { view = { x: -0.03, y: -0.03, size: 1.06 }; draw(); }));
  const reading = element("div", { className: "reading" }, element("p", { textContent: "Point at a texture: it is shown here, larger." }));
  reading.setAttribute("aria-live", "polite");
  document.getElementById("map").append(element("div", {}, canvas, tools), reading);

  const sheets = [];
  for (let s = 0; s <= place(n - 1).sheet; s++) {
    const image = new Image();
    image.onload = () => draw();
    image.src = `${root}textures/sheet${s}.jpg`;
    sheets.push(image);
  }

  let view = { x: -0.03, y: -0.03, size: 1.06 }, xy = null, clusters = null, middles = [], chosen = -1;
  // Neighbouring hues differ in lightness too.
  const hue = (c, of) => `hsl(${Math.round((360 * c) / of)} 85% ${[38, 55, 70][c % 3]}%)`;
  const edge = () => Math.max(10, Math.min(96, (0.55 / Math.sqrt(n) / view.size) * canvas.width));

  function draw() {
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (!xy) return;
    const size = edge(), shown = only.value === "" ? null : Number(only.value);
    const order = [...Array(n).keys()];
    if (chosen >= 0) order.push(chosen);
    for (const i of order) {
      const x = ((xy[2 * i] / 65535 - view.x) / view.size) * canvas.width, y = ((xy[2 * i + 1] / 65535 - view.y) / view.size) * canvas.width;
      if (x < -size || y < -size || x > canvas.width + size || y > canvas.width + size) continue;
      pen.globalAlpha = shown === null || classes[i] === shown ? 1 : 0.12;
      const at = place(i), sheet = sheets[at.sheet];
      if (sheet.complete && sheet.naturalWidth) pen.drawImage(sheet, at.column * side, at.row * side, side, side, x - size / 2, y - size / 2, size, size);
      pen.strokeStyle = i === chosen ? "#000000" : colour.value === "class" ? hue(classes[i], names.length) : hue(clusters[i], Math.max(...clusters) + 1);
      pen.lineWidth = i === chosen ? 4 : Math.max(2, size / 12);
      pen.strokeRect(x - size / 2, y - size / 2, size, size);
    }
    pen.globalAlpha = 1;
    if (colour.value !== "class") return;
    pen.font = `${Math.round(13 * (canvas.width / Math.max(canvas.clientWidth, 200)))}px system-ui, sans-serif`;
    Object.assign(pen, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 4, strokeStyle: "#ffffff", fillStyle: "#1b1f24" });
    middles.forEach(([mx, my], c) => {
      if (shown !== null && c !== shown) return;
      const text = [...names[c].replace(/\s+/g, " ")].slice(0, 24).join("");
      const at = [((mx / 65535 - view.x) / view.size) * canvas.width, ((my / 65535 - view.y) / view.size) * canvas.width];
      pen.strokeText(text, ...at);
      pen.fillText(text, ...at);
    });
  }

  // In the middle of its textures, as most of them see it, a class has its name.
  function median(values) {
    return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  }
  function middle(c) {
    const own = [...Array(n).keys()].filter((i) => classes[i] === c);
    return [0, 1].map((axis) => median(own.map((i) => xy[2 * i + axis])));
  }

  function zoom(factor, about = [0.5, 0.5]) {
    const size = Math.max(0.01, Math.min(1.5, view.size / factor));
    view = { x: view.x + about[0] * (view.size - size), y: view.y + about[1] * (view.size - size), size };
    canvas.dataset.zoom = (1.06 / size).toFixed(3);
    draw();
  }
  function point(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }
  function choose([px, py]) {
    if (!xy) return;
    const [x, y] = [view.x + px * view.size, view.y + py * view.size];
    let best = -1, least = ((1.5 * edge()) / canvas.width) * view.size;
    for (let i = 0; i < n; i++) {
      const apart = Math.hypot(xy[2 * i] / 65535 - x, xy[2 * i + 1] / 65535 - y);
      if (apart < least) [best, least] = [i, apart];
    }
    if (best < 0 || best === chosen) return;
    chosen = best;
    canvas.dataset.texture = best;
    reading.replaceChildren(thumb(best, 192, "span"), element("p", {}, name(files[best]), element("br"), "class ", name(names[classes[best]]), element("br"), `cluster ${clusters[best]}`));
    draw();
  }
  texalign.steer(canvas, {
    point, press: choose, hover: choose, zoom, step: 1.6,
    drag: (x, y) => { view = { ...view, x: view.x - x * view.size, y: view.y - y * view.size }; draw(); },
    key: (x, y) => {
      view = { ...view, x: view.x + 0.1 * x * view.size, y: view.y + 0.1 * y * view.size };
      draw();
      choose([0.5, 0.5]);
    },
  });
  new ResizeObserver(() => {
    const wide = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1));
    if (wide && wide !== canvas.width) canvas.width = canvas.height = wide;
    draw();
  }).observe(canvas);

  // Another network's places come as a script, when they are asked for.
  function load() {
    const key = network.value;
    const show = () => {
      const map = texalign.maps[key];
      [xy, clusters, chosen] = [unpack(map.places, Uint16Array), map.clusters, -1];
      middles = names.map((_, c) => middle(c));
      canvas.dataset.network = key;
      draw();
    };
    if (texalign.maps && texalign.maps[key]) return show();
    document.body.append(element("script", { src: `${root}networks/${key}/map.js`, onload: () => {
      texalign.maps = { ...texalign.maps, [key]: texalign.map };
      if (network.value === key) show();
    } }));
  }
  network.addEventListener("change", load);
  colour.addEventListener("change", draw);
  only.addEventListener("change", draw);
  load();
})(window.texalign);
