/** Memory of this process in bytes, beside counts. */
export function heapStatistics(): Readonly<Record<string, number>> {
  const usage = process.memoryUsage();
  const heap = process.getBuiltinModule("node:v8").getHeapStatistics();
  return {
    rss: usage.rss,
    heap_total: usage.heapTotal,
    heap_used: usage.heapUsed,
    heap_limit: heap.heap_size_limit,
    heap_physical: heap.total_physical_size,
    external: usage.external,
    array_buffers: usage.arrayBuffers,
    malloced: heap.malloced_memory,
    malloced_peak: heap.peak_malloced_memory,
    contexts: heap.number_of_native_contexts,
    contexts_detached: heap.number_of_detached_contexts,
    global_handles: heap.used_global_handles_size,
  };
}
