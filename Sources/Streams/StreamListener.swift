import EventLoops
package import Logging
package import NIOCore
import NIOPosix
import XMPP

/// Accepts streams: one TCP port for all devices of a node, IPv4 and IPv6. Connections beside the streams come to the same port, so
/// that whoever can reach the one can reach the other.
package final class StreamListener: Sendable {
  /// Streams that came in; each wants to be run.
  package let streams: AsyncStream<PeerStream>
  private let channel: any Channel

  /// Listens on `port`; nil means 5298 where it is free, else a free port that every known peer can reach.
  ///
  /// - Throws: `IOError` where the port is taken or not allowed.
  package init(
    port: Int?, host: StreamHost, eventLoopGroup: any EventLoopGroup, logger: Logger
  ) async throws {
    let (streams, continuation) = AsyncStream.makeStream(of: PeerStream.self)
    self.streams = streams
    let admission = Admission()
    let bootstrap = ServerBootstrap(group: eventLoopGroup)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: Int32(Limits.negotiatingStreams))
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptPause())
        }
      }
      .streamOptions()
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let address = channel.remoteAddress?.host ?? ""
          guard let ticket = admission.admit(address) else {
            logger.debug("no place for a stream", metadata: ["address": "\(address)"])
            throw NoPlace()
          }
          channel.closeFuture.whenComplete { _ in ticket.release() }
          let sorter = FirstByteHandler { channel, isSOCKS in
            if isSOCKS {
              guard let tls = host.security?.server else { throw NoPlace() }
              let handler = SOCKS5ServerHandler(host.dataConnections, tls, place: ticket)
              return try channel.pipeline.syncOperations.addHandler(handler)
            }
            let stream = try PeerStream.accepted(channel, host: host, logger: logger, place: ticket)
            // Nobody would run what comes in once the node has stopped to listen.
            guard case .enqueued = continuation.yield(stream) else { throw NoPlace() }
          }
          try channel.pipeline.syncOperations.addHandler(sorter)
        }
      }
    self.channel = try await Self.bind(bootstrap, port: port)
    host.dataConnections.listens(on: self.channel.localAddress?.port ?? 0)
    channel.closeFuture.whenComplete { _ in continuation.finish() }
  }

  package var port: Int { channel.localAddress?.port ?? 0 }

  /// Accepts no more; streams that are open stay.
  package func close() {
    channel.close(promise: nil)
  }

  private static func bind(_ bootstrap: ServerBootstrap, port: Int?) async throws -> any Channel {
    if let port { return try await bind(bootstrap, port) }
    if let channel = try? await bind(bootstrap, StreamHost.standardPort) { return channel }
    for _ in 1..<Limits.portAttempts {
      let port = Int.random(in: Limits.lowestFreePort...Limits.highestPort)
      if let channel = try? await bind(bootstrap, port) { return channel }
    }
    return try await bind(bootstrap, Int.random(in: Limits.lowestFreePort...Limits.highestPort))
  }

  /// `::` takes IPv4 as well; without IPv6 in the kernel there is only `0.0.0.0`. As addresses, since the resolver does
  /// not know `::` while the machine has no IPv6 address, and one may come later.
  private static func bind(_ bootstrap: ServerBootstrap, _ port: Int) async throws -> any Channel {
    do {
      return try await bootstrap.bind(to: SocketAddress(ipAddress: "::", port: port)).get()
    } catch let error as IOError where error.errnoCode == EAFNOSUPPORT || error.errnoCode == EADDRNOTAVAIL {
      return try await bootstrap.bind(to: SocketAddress(ipAddress: "0.0.0.0", port: port)).get()
    }
  }
}

/// Why a connection is closed unanswered.
private struct NoPlace: Error {}
