/** Takes `APP_LOAD` milliseconds to load and holds a heap of `APP_HEAP` MB. */
const until = performance.now() + Number(process.env.APP_LOAD ?? 0)
while (performance.now() < until);

const ENTRY = 144
exports.heap = Array.from({ length: (Number(process.env.APP_HEAP ?? 0) * 2 ** 20) / ENTRY }, (_, n) => ({
  id: n,
  name: `entry ${n}`,
  next: [n],
}))
