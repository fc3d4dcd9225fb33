package import Logging
package import NIOCore
import NIOPosix
import Synchronization
import XMPP

/// Accepts streams: one TCP port for all devices of a node, IPv4 and IPv6.
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
      .streamOptions()
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let ticket = admission.admit(channel) else { throw ChannelError.connectTimeout(.zero) }
          let stream = try PeerStream.accepted(channel, ticket: ticket, host: host, logger: logger)
          continuation.yield(stream)
        }
      }
    self.channel = try await Self.bind(bootstrap, port: port)
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

/// Counts streams by the address they come from, so that one host cannot take all the places.
final class Admission: Sendable {
  struct Ticket: Sendable {
    let address: String
    let admission: Admission

    /// Negotiation is over, and the stream lives on.
    func established() { admission.count(address, negotiating: -1, established: 1) }
    /// Ended, at the stage it had reached.
    func ended(wasEstablished: Bool) {
      admission.count(address, negotiating: wasEstablished ? 0 : -1, established: wasEstablished ? -1 : 0)
    }
  }

  private struct Counts { var negotiating = 0, established = 0 }
  private struct State { var negotiating = 0, byAddress: [String: Counts] = [:] }
  private let state = Mutex(State())

  /// Nil where a limit is reached.
  func admit(_ channel: any Channel) -> Ticket? {
    let address = channel.remoteAddress?.ipAddress ?? ""
    let isAdmitted = state.withLock { state in
      let counts = state.byAddress[address] ?? Counts()
      guard state.negotiating < Limits.negotiatingStreams,
        counts.negotiating < Limits.negotiatingStreamsPerAddress, counts.established < Limits.streamsPerAddress
      else { return false }
      state.negotiating += 1
      state.byAddress[address, default: Counts()].negotiating += 1
      return true
    }
    return isAdmitted ? Ticket(address: address, admission: self) : nil
  }

  private func count(_ address: String, negotiating: Int, established: Int) {
    state.withLock { state in
      state.negotiating += negotiating
      state.byAddress[address, default: Counts()].negotiating += negotiating
      state.byAddress[address, default: Counts()].established += established
      if let counts = state.byAddress[address], counts.negotiating == 0, counts.established == 0 {
        state.byAddress[address] = nil
      }
    }
  }
}
