import Control
import NIOPosix

/// Device names for the shell: asks the daemon, and gives up rather than make anyone wait.
enum DeviceCompletion {
  @Sendable static func candidates(_ words: [String], _ index: Int, _ prefix: String) async -> [String] {
    let socket = Places.current.clientSocket(option("--socket", in: words))
    let client = ControlClient(socket: socket, eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
    let devices = await Deadline.run(CLILimits.completion) { try await client.devices() } ?? []
    return names(devices, prefix: prefix)
  }

  /// Whole URIs where one was begun, else the short form.
  static func names(_ devices: [DeviceResource], prefix: String) -> [String] {
    let isURI = prefix.hasPrefix("httpx:")
    return devices.filter { $0.http != false }.map { isURI ? "httpx://\($0.jid)/" : $0.jid }
  }

  private static func option(_ name: String, in words: [String]) -> String? {
    words.firstIndex(of: name).flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
  }
}

/// Work that is only worth a certain time.
enum Deadline {
  /// nil where it throws or takes longer; it is cancelled then, and waited for.
  static func run<Value: Sendable>(
    _ limit: Duration, _ work: @escaping @Sendable () async throws -> Value
  ) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
      group.addTask { try? await work() }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }
}
