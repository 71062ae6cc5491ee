// Hover, zoom and search. Without script the picture is complete but still.
(function () {
  "use strict";
  var svg = document.currentScript ? document.currentScript.ownerSVGElement : document.documentElement;
  var NS = "http://www.w3.org/2000/svg", XHTML = "http://www.w3.org/1999/xhtml";
  function part(id) { return svg.querySelector("#" + id); }
  var frames = part("frames"), details = part("details"), matched = part("matched");
  var resetButton = part("reset"), searchButton = part("search");

  // x and w count hits; level counts calls from the root.
  var root = null;
  var boxes = Array.prototype.map.call(frames.querySelectorAll("g"), function (g) {
    var rect = g.querySelector("rect"), title = g.querySelector("title").textContent;
    var end = title.indexOf("\n"), y = +rect.getAttribute("y");
    var box = {
      g: g, rect: rect, text: g.querySelector("text"), y: y,
      name: title.slice(0, end), about: title.slice(end + 1),
      x: +g.getAttribute("data-x"), w: +g.getAttribute("data-w")
    };
    root = root || box;
    box.level = Math.abs(y - root.y);
    g.box = box;
    return box;
  });
  var focus = root;
  var rowHeight = 16, narrowest = 0.3;
  var icicle = boxes.some(function (b) { return b.y > root.y; });
  var body = +frames.getAttribute("height"), around = +svg.getAttribute("height") - body;

  // The drawing follows the window's width; names are cut to fit.
  var probe = document.createElementNS(NS, "text");
  probe.textContent = "0000000000";
  svg.appendChild(probe);
  var charWidth = probe.getComputedTextLength() / 10 || 7.25;
  svg.removeChild(probe);

  function fit(name, px) {
    var room = Math.floor((px - 6) / charWidth);
    if (room < 3) return "";
    var chars = Array.from(name);
    return chars.length <= room ? name : chars.slice(0, room - 1).join("") + "\u2026";
  }

  function draw() {
    var width = Math.max(svg.getBoundingClientRect().width - 20, 100);
    frames.setAttribute("width", width);
    var depth = 0;
    boxes.forEach(function (b) {
      var left = (b.x - focus.x) / focus.w, share = b.w / focus.w;
      var caller = b.level < focus.level && b.x <= focus.x && b.x + b.w >= focus.x + focus.w;
      if (caller) { left = 0; share = 1; }
      var hidden = !caller && (b.level < focus.level || b.x < focus.x || b.x + b.w > focus.x + focus.w || share * width < narrowest);
      b.g.classList.toggle("hide", hidden);
      b.g.classList.toggle("caller", caller);
      if (hidden) return;
      depth = Math.max(depth, b.level + rowHeight);
      var px = share * width;
      b.rect.setAttribute("x", left * 100 + "%");
      b.rect.setAttribute("width", (px > 3 ? px - 0.5 : px) / width * 100 + "%");
      var label = fit(b.name, px);
      if (label && !b.text) {
        b.text = document.createElementNS(NS, "text");
        b.text.setAttribute("y", b.y + 11.5);
        b.g.appendChild(b.text);
      }
      if (b.text) {
        b.text.setAttribute("x", (left * width + 3) / width * 100 + "%");
        b.text.textContent = label;
      }
    });
    resize(width, depth);
    resetButton.classList.toggle("hide", focus === root);
  }

  // The picture is as tall as what is drawn at this zoom.
  function resize(width, depth) {
    frames.setAttribute("height", depth);
    frames.setAttribute("viewBox", [0, icicle ? 0 : root.y + rowHeight - depth, width, depth].join(" "));
    svg.setAttribute("height", around + depth);
    if (!icicle) details.setAttribute("y", +details.getAttribute("y") + depth - body);
    body = depth;
  }

  function zoom(box) { focus = box; draw(); }

  function show(box) { details.textContent = box ? box.name + " \u2014 " + box.about : ""; }

  // A pattern in lower case matches both cases. The share counts hits in matching
  // calls once, however many of their callers match too.
  function search(pattern) {
    var re = null;
    try { if (pattern) re = new RegExp(pattern, pattern === pattern.toLowerCase() ? "i" : ""); }
    catch (e) { matched.textContent = "not a regular expression"; return; }
    var hits = [];
    boxes.forEach(function (b) {
      var match = re !== null && re.test(b.name);
      b.g.classList.toggle("match", match);
      if (match) hits.push(b);
    });
    hits.sort(function (a, b) { return a.x - b.x || b.w - a.w; });
    var sum = 0, end = 0;
    hits.forEach(function (b) { if (b.x >= end) { sum += b.w; end = b.x + b.w; } });
    matched.textContent = re ? "matched: " + (100 * sum / root.w).toFixed(2) + " %" : "";
  }

  var holder = null, input = null;
  function openSearch() {
    if (!holder) {
      holder = document.createElementNS(NS, "foreignObject");
      holder.setAttribute("x", -280); holder.setAttribute("y", 9);
      holder.setAttribute("width", 190); holder.setAttribute("height", 26);
      input = document.createElementNS(XHTML, "input");
      input.setAttribute("placeholder", "regular expression");
      input.setAttribute("style", "box-sizing:border-box;width:100%;height:24px;font:12px monospace");
      input.addEventListener("input", function () { search(input.value); });
      holder.appendChild(input);
      searchButton.parentNode.appendChild(holder);
    }
    holder.style.display = "";
    resetButton.setAttribute("transform", "translate(-196)");
    input.focus(); input.select();
  }
  function closeSearch() {
    if (!holder) return;
    holder.style.display = "none";
    resetButton.removeAttribute("transform");
    input.value = ""; search("");
  }
  function isOpen() { return holder !== null && holder.style.display === ""; }

  function boxAt(e) { var g = e.target.closest && e.target.closest("#frames g"); return g ? g.box : null; }
  frames.addEventListener("click", function (e) { var b = boxAt(e); if (b) zoom(b); });
  frames.addEventListener("mouseover", function (e) { show(boxAt(e)); });
  frames.addEventListener("mouseleave", function () { show(null); });
  resetButton.addEventListener("click", function () { zoom(root); });
  searchButton.addEventListener("click", function () { if (isOpen()) closeSearch(); else openSearch(); });
  window.addEventListener("resize", draw);
  window.addEventListener("keydown", function (e) {
    if (e.key === "F3" || ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "f")) { e.preventDefault(); openSearch(); }
    else if (e.key === "Escape") { if (isOpen()) closeSearch(); else zoom(root); }
  });

  searchButton.classList.remove("hide");
  svg.setAttribute("width", "100%");
  draw();
})();
