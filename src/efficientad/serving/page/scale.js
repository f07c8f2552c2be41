// The scale of scores above the slider: held-out good images as dots, this image as a pointer.

const GOOD = "#56b4e9";
const DEFECT = "#ff8a3d";
const PAD = 14; // px, half of the slider's thumb
const HEIGHT = 64;

// Return the ends of the scale, the same for all images of a model: 0, or below where a score is; three times the
// threshold, or beyond the highest good score. An image's score beyond them is shown at the end.
export function chooseRange(model) {
  const scores = [...(model.good_scores || []), model.threshold];
  const high = Math.max(3 * model.threshold, 1.1 * Math.max(...scores));
  return { low: Math.min(0, ...scores), high: high > 0 ? high : 1 };
}

// How many held-out good images score above a threshold.
export function countAbove(goodScores, threshold) {
  return goodScores.filter((score) => score > threshold).length;
}

export function drawScale(canvas, model, score, threshold) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = width * ratio;
  canvas.height = HEIGHT * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const { low, high } = chooseRange(model);
  const share = (value) => Math.min(1, Math.max(0, (value - low) / (high - low)));
  const place = (value) => PAD + share(value) * (width - 2 * PAD);
  drawDots(context, (model.good_scores || []).map(place));
  context.fillStyle = "#f4f5f6";
  context.fillRect(place(threshold) - 1, 0, 2, HEIGHT);
  if (score !== null) drawPointer(context, place(score), score > threshold ? DEFECT : GOOD);
}

// Dots side by side; those that would cover each other are piled up.
function drawDots(context, places) {
  const radius = 3.5;
  const piles = new Map();
  context.fillStyle = GOOD;
  for (const x of places) {
    const column = Math.round(x / (2 * radius));
    const level = piles.get(column) || 0;
    piles.set(column, level + 1);
    const y = Math.max(radius + 20, HEIGHT - radius - 1 - level * 2 * radius);
    context.beginPath();
    context.arc(column * 2 * radius, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawPointer(context, x, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x - 9, 0);
  context.lineTo(x + 9, 0);
  context.lineTo(x, 16);
  context.fill();
  context.fillRect(x - 1, 0, 2, HEIGHT);
}
