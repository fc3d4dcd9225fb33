import EventLoops
package import NIOCore
import NIOPosix

/// A connection to a peer through a SOCKS5 proxy that a server offers (XEP-0065 §6): raw bytes, for whatever runs on TCP.
package enum ProxyConnection {
  /// Connects to the proxy, and asks for the destination. What the channel reads waits until somebody reads it.
  ///
  /// - Parameters:
  ///   - host: an address or a name.
  ///   - destination: `S5BTransport.destination` of both full addresses.
  ///   - mayBe: whether anything is said to what is at this address.
  /// - Throws: NIO's errors of connecting; an error where the proxy refuses; `CancellationError`.
  package static func open(
    host: String, port: Int, destination: String, eventLoop: any EventLoop,
    mayBe: @escaping @Sendable (SocketAddress) -> Bool = { _ in true }
  ) async throws -> any Channel {
    if let address = try? SocketAddress(ipAddress: host, port: port), !mayBe(address) {
      throw NoDataConnection(reason: "what is there is no proxy's")
    }
    let ready = eventLoop.makePromise(of: (any Channel).self)
    let connecting = ClientBootstrap(group: eventLoop).connectTimeout(Timeouts.connect).streamOptions()
      .connect(host: host, port: port)
    connecting.flatMapThrowing { channel in
      guard let address = channel.remoteAddress, mayBe(address) else {
        channel.close(promise: nil)
        throw NoDataConnection(reason: "what is there is no proxy's")
      }
      let handler = SOCKS5ClientHandler(destination: destination) { context in
        try context.channel.syncOptions?.setOption(.autoRead, value: false)
        ready.succeed(context.channel)
      } failed: {
        ready.fail($0)
      }
      try channel.pipeline.syncOperations.addHandler(handler)
      let timer = channel.eventLoop.scheduleTask(in: Timeouts.connect) { channel.close(promise: nil) }
      ready.futureResult.whenComplete { _ in timer.cancel() }
    }.whenFailure { ready.fail($0) }
    do {
      return try await ready.futureResult.value()
    } catch {
      connecting.whenSuccess { $0.close(promise: nil) }
      throw error
    }
  }
}
