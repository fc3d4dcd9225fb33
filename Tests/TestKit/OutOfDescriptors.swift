import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The end of this process's descriptors. Only for tests that run alone.
package enum OutOfDescriptors {
  /// A client of 127.0.0.1 connects while the process cannot open anything. Its server must rest, in milliseconds of CPU
  /// for half a second, and answer it once descriptors are there again.
  ///
  /// - Parameter ask: says something to the server, and gives what its answer begins with.
  package static func whileWaiting(_ port: Int, _ ask: (Int32) -> String) {
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(client) }
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    // From the first free one on, which the next descriptor would be.
    let next = dup(client)
    close(next)
    var none = rlimit(rlim_cur: rlim_t(next), rlim_max: limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
    defer { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    // What another test's end has closed in between is taken, too.
    var taken: [Int32] = []
    defer { for descriptor in taken { close(descriptor) } }
    while case let descriptor = dup(client), descriptor != -1 { taken.append(descriptor) }
    #expect(errno == EMFILE)

    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(connected == 0, "the kernel takes it")
    let answer = ask(client)
    let before = milliseconds()
    // Nothing of this process's may need a descriptor now, as timers of tasks do.
    usleep(500_000)
    let spent = milliseconds() - before
    #expect(spent < 100, "\(spent) ms of CPU in 500 ms")

    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var bytes = [UInt8](repeating: 0, count: answer.utf8.count)
    var received = 0
    while received < bytes.count {
      let count = bytes.withUnsafeMutableBytes { recv(client, $0.baseAddress! + received, $0.count - received, 0) }
      guard count > 0 else {
        Issue.record("the server says nothing: \(count), \(errno)")
        break
      }
      received += count
    }
    #expect(String(decoding: bytes, as: UTF8.self) == answer)
  }

  /// CPU of this process.
  private static func milliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}
