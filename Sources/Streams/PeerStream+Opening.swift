import EventLoops
package import Logging
package import NIOCore
import NIOPosix
import Synchronization
package import XMPP

/// How a stream comes about: it comes in, or is dialled.
extension PeerStream {
  /// A stream that comes in, on a channel that is being set up, on its event loop; it wants to be run.
  package static func accepted(_ channel: any Channel, host: StreamHost, logger: Logger) throws -> PeerStream {
    try accepted(channel, host: host, logger: logger, place: nil)
  }

  static func accepted(
    _ channel: any Channel, host: StreamHost, logger: Logger, place: Admission.Ticket?
  ) throws -> PeerStream {
    let setting = StreamSetting(host: host, logger: logger, place: place)
    return try make(on: channel, role: .responder, tls: .preferred, setting: setting)
  }

  /// The same on a connection over a server. What is not encrypted, its peer cannot be known on.
  ///
  /// - Throws: `ChannelError` where it has ended.
  package static func accepted(over relayed: any Channel, host: StreamHost, logger: Logger) async throws -> PeerStream {
    let setting = StreamSetting(host: host, logger: logger, isRelayed: true)
    return try await begin(on: relayed, role: .responder, tls: .required, setting)
  }

  /// Opens a stream to `remote` on a connection over a server, and waits until it is open. Takes the connection in any case.
  ///
  /// - Throws: `StreamFailure`; `ChannelError` where the connection has ended; `CancellationError`.
  package static func dial(
    over relayed: any Channel, from local: JID, to remote: JID, host: StreamHost, logger: Logger
  ) async throws -> PeerStream {
    let setting = StreamSetting(host: host, logger: logger, dialled: remote, isRelayed: true)
    let role = StreamMachine.Role.initiator(local: local, remote: remote)
    return try await opened(try await begin(on: relayed, role: role, tls: .required, setting), on: relayed)
  }

  /// A stream between `local` and `remote`, whose stanzas a server routes; for both directions, whoever began.
  ///
  /// - Parameters:
  ///   - channel: of a `RoutedConnection`.
  ///   - direct: what the peer may be told of this side; nil: bodies go in-band only.
  /// - Throws: `StreamFailure`; `ChannelError` where the connection has ended; `CancellationError`.
  package static func routed(
    on channel: any Channel, from local: JID, to remote: JID, direct: RoutedEnd? = nil, host: StreamHost,
    logger: Logger
  ) async throws -> PeerStream {
    let setting = StreamSetting(host: host, logger: logger, isRelayed: true, routed: remote, direct: direct)
    let role = StreamMachine.Role.initiator(local: local, remote: remote)
    return try await opened(try await begin(on: channel, role: role, tls: .none, setting), on: channel)
  }

  private static func opened(_ stream: PeerStream, on channel: any Channel) async throws -> PeerStream {
    do {
      try await stream.opened.value()
      return stream
    } catch {
      channel.close(promise: nil)
      throw error
    }
  }

  /// - Parameter channel: connected, and not read from by itself.
  private static func begin(
    on channel: any Channel, role: StreamMachine.Role, tls: TLSPolicy, _ setting: StreamSetting
  ) async throws -> PeerStream {
    do {
      return try await channel.eventLoop.submit {
        let stream = try make(on: channel, role: role, tls: tls, setting: setting)
        try channel.syncOptions?.setOption(.autoRead, value: true)
        return stream
      }.value()
    } catch {
      channel.close(promise: nil)
      throw error
    }
  }

  /// Opens a stream to `remote` at the first of its addresses that accepts (RFC 8305), and waits until it is open.
  ///
  /// - Throws: `NIOConnectionError` or `ChannelError.connectTimeout` where no address accepts, `StreamFailure` where no
  ///   stream comes about, `CancellationError`.
  package static func dial(
    _ addresses: [SocketAddress], from local: JID, to remote: JID, tls: TLSPolicy = .preferred, host: StreamHost,
    eventLoop: any EventLoop, logger: Logger
  ) async throws -> PeerStream {
    // One for each address that is tried.
    let made = Mutex<[ObjectIdentifier: PeerStream]>([:])
    let setting = StreamSetting(host: host, logger: logger, dialled: remote, addresses: addresses)
    let connecting = ClientBootstrap(group: eventLoop)
      .resolver(AddressList(addresses, eventLoop: eventLoop))
      .connectTimeout(Timeouts.connect)
      .streamOptions()
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let role = StreamMachine.Role.initiator(local: local, remote: remote)
          let stream = try make(on: channel, role: role, tls: tls, setting: setting)
          made.withLock { $0[ObjectIdentifier(channel)] = stream }
        }
      }
      .connect(host: remote.text, port: 0)
    do {
      let stream = connecting.flatMapThrowing { channel in
        guard let stream = made.withLock({ $0[ObjectIdentifier(channel)] }) else { throw StreamFailure(.hungUp) }
        return stream
      }
      // It may be over by now, and knows why.
      return try await stream.flatMap { stream in stream.opened.map { stream } }.value()
    } catch is CancellationError {
      connecting.whenSuccess { $0.close(promise: nil) }
      throw CancellationError()
    }
  }
}
