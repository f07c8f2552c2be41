// The picture with its heat map and marks.

const LEAST_SIDE = 1000; // px of the canvas, whose longer side lies between both
const MOST_SIDE = 1600;
const NUMBERED = 9; // regions
const OPACITY = 0.5;

// Return the picture to show, no larger than it is drawn, upright; null for a format that browsers do not show, such as
// TIFF. `size` is width and height of the image as the server decodes it.
export function readPicture(blob, [width, height]) {
  const zoom = MOST_SIDE / Math.max(width, height);
  const smaller = { resizeWidth: Math.round(width * zoom), resizeHeight: Math.round(height * zoom), resizeQuality: "high" };
  return createImageBitmap(blob, zoom < 1 ? smaller : {}).catch(() => null);
}

// Draw `item` {bitmap or null, answer} into the canvas. `found` is what findRegions gave, or null for no marks.
export function drawPicture(canvas, item, found, threshold, palette, withHeat) {
  const [width, height] = item.answer.image_size;
  const longest = Math.max(width, height);
  const zoom = Math.min(MOST_SIDE, Math.max(LEAST_SIDE, longest)) / longest;
  canvas.width = Math.max(1, Math.round(width * zoom));
  canvas.height = Math.max(1, Math.round(height * zoom));
  const context = canvas.getContext("2d");
  context.fillStyle = "#777";
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (item.bitmap) context.drawImage(item.bitmap, 0, 0, canvas.width, canvas.height);
  const map = item.answer.anomaly_map;
  if (withHeat || !item.bitmap) {
    context.globalAlpha = OPACITY;
    context.drawImage(colourMap(map, threshold, palette), 0, 0, canvas.width, canvas.height);
    context.globalAlpha = 1;
  }
  if (found) drawMarks(context, found, map);
}

// As the server's fit_heat_scale: from 0 to twice the threshold, which is the middle of the palette.
function colourMap({ width, height, values }, threshold, palette) {
  const low = threshold > 0 ? 0 : values.reduce((one, other) => Math.min(one, other));
  const high = threshold > 0 ? 2 * threshold : values.reduce((one, other) => Math.max(one, other));
  const pixels = new ImageData(width, height);
  for (let index = 0; index < values.length; index++) {
    const level = Math.round(255 * Math.min(1, Math.max(0, (values[index] - low) / (high - low || 1))));
    pixels.data.set(palette[level], 4 * index);
    pixels.data[4 * index + 3] = 255;
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

function drawMarks(context, { marks, regions }, map) {
  const { canvas } = context;
  const [across, down] = [canvas.width / map.width, canvas.height / map.height];
  const line = Math.max(2, Math.max(canvas.width, canvas.height) / 300);
  const border = traceBorder(marks, map, across, down);
  for (const [colour, width] of [["#000", 2.2 * line], ["#fff", line]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke(border);
  }
  const size = 8 * line;
  context.font = `bold ${size}px sans-serif`;
  context.textBaseline = "top";
  regions.slice(0, NUMBERED).forEach((region, index) => {
    const label = String(index + 1);
    const width = context.measureText(label).width + size / 2;
    const x = Math.max(0, Math.min(canvas.width - width, region.tip * across - width / 2));
    const y = Math.max(0, region.y * down - 1.4 * size);
    context.fillStyle = "#fff";
    context.fillRect(x, y, width, 1.15 * size);
    context.fillStyle = "#000";
    context.fillText(label, x + size / 4, y + size / 8);
  });
}

// Return the sides of marked pixels behind which none is marked.
function traceBorder(marks, { width, height }, across, down) {
  const path = new Path2D();
  const isMarked = (x, y) => x >= 0 && y >= 0 && x < width && y < height && marks[y * width + x];
  const side = (x, y, toX, toY) => {
    path.moveTo(x * across, y * down);
    path.lineTo(toX * across, toY * down);
  };
  for (let index = 0; index < marks.length; index++) {
    if (!marks[index]) continue;
    const x = index % width;
    const y = (index - x) / width;
    if (!isMarked(x, y - 1)) side(x, y, x + 1, y);
    if (!isMarked(x, y + 1)) side(x, y + 1, x + 1, y + 1);
    if (!isMarked(x - 1, y)) side(x, y, x, y + 1);
    if (!isMarked(x + 1, y)) side(x + 1, y, x + 1, y + 1);
  }
  return path;
}
