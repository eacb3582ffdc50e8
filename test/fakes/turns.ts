/** Lets every promise that is ready now settle, and those that become ready by that. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
