#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// This process as numbers, by the names that Prometheus's own clients use. What the system does not tell is left out.
struct ProcessMetrics {
  var cpuSeconds: Double?
  var residentBytes: Int?
  var openFiles: Int?
  var maximumFiles: Int?

  static var current: ProcessMetrics {
    var metrics = ProcessMetrics()
    var usage = rusage()
    if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
      metrics.cpuSeconds = [usage.ru_utime, usage.ru_stime].reduce(0) {
        $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1_000_000
      }
    }
    metrics.residentBytes = residentPages.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    metrics.openFiles = openFiles
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      metrics.maximumFiles = Int(clamping: limit.rlim_cur)
    }
    return metrics
  }

  /// The second number of proc_pid_statm(5).
  private static var residentPages: Int? {
    guard let file = fopen("/proc/self/statm", "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    let numbers = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
      separator: " ")
    return numbers.count > 1 ? Int(numbers[1]) : nil
  }

  private static var openFiles: Int? {
    guard let folder = opendir("/proc/self/fd") else { return nil }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    // Two are "." and "..", and one is the folder that is read.
    return max(0, count - 3)
  }

  var samples: [(name: String, type: String, help: String, value: String)] {
    [
      cpuSeconds.map { ("process_cpu_seconds_total", "counter", "CPU time of user and system.", "\($0)") },
      residentBytes.map { ("process_resident_memory_bytes", "gauge", "Resident memory.", "\($0)") },
      openFiles.map { ("process_open_fds", "gauge", "Open file descriptors.", "\($0)") },
      maximumFiles.map { ("process_max_fds", "gauge", "The most file descriptors that may be open.", "\($0)") },
    ].compactMap { $0 }
  }
}
