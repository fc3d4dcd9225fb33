import ServiceLifecycle

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Tells the service manager how the daemon does (sd_notify(3)); silent where there is none.
package struct ServiceNotifier: Service {
  /// `$NOTIFY_SOCKET`: a path, or an abstract name behind `@`.
  let address: String?
  /// How often it has to be told that the daemon lives (sd_watchdog_enabled(3)); nil: not at all.
  let watchdog: Duration?

  init(address: String?, watchdog: Duration? = nil) {
    (self.address, self.watchdog) = (address, watchdog)
  }

  /// As the service manager has set the environment of this process.
  package init(environment: [String: String]) {
    let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
    let isOurs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
    self.init(
      address: environment["NOTIFY_SOCKET"], watchdog: isOurs && microseconds > 0 ? .microseconds(microseconds) : nil)
  }

  func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }
  func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Self.monotonicMicroseconds)") }
  func stopping() { send("STOPPING=1") }
  func alive() { send("WATCHDOG=1") }

  /// Waits for the end, and tells of it.
  package func run() async {
    try? await gracefulShutdown()
    stopping()
  }

  private func send(_ state: String) {
    guard let address, address.hasPrefix("/") || address.hasPrefix("@") else { return }
    let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return }
    defer { close(socket) }
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    guard address.utf8.count < MemoryLayout.size(ofValue: name.sun_path) else { return }
    withUnsafeMutableBytes(of: &name.sun_path) { path in
      path.copyBytes(from: address.utf8)
      if address.hasPrefix("@") { path[0] = 0 }
    }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + address.utf8.count)
    withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        _ = sendto(socket, state, state.utf8.count, Int32(MSG_NOSIGNAL), name, size)
      }
    }
  }

  private static var monotonicMicroseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
  }
}
