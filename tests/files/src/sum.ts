// See ../ORIGIN.md for how this is built.

export function sum(values: Int32Array): i64 {
  let total: i64 = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}
