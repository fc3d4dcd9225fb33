import EventLoops
import NIOCore
import NIOPosix
import TLS
import XMPP

/// Connects to one server of an account: TCP to whichever of its addresses answers first (RFC 8305), and the handlers.
struct AccountDialer: Sendable {
  let configuration: AccountConfiguration
  let eventLoop: any EventLoop
  let resolver: ServerResolver
  /// A file of authorities in place of the system's; for tests.
  let authorities: String?

  init(configuration: AccountConfiguration, eventLoop: any EventLoop, authorities: String? = nil) {
    self.configuration = configuration
    self.eventLoop = eventLoop
    resolver = ServerResolver(eventLoop: eventLoop)
    self.authorities = authorities
  }

  func targets() async throws(AccountProblem) -> [ServerTarget] {
    try await resolver.targets(for: configuration)
  }

  /// A connection, on which the handler has begun to talk.
  ///
  /// - Parameter receive: told on the event loop, `closed` last, and once. Where this throws, nothing is told.
  func connect(
    to target: ServerTarget, _ setting: ClientMachine.Setting,
    _ receive: @escaping @Sendable (AccountHandler.Event) -> Void
  ) async throws(AccountProblem) -> NIOLoopBound<AccountHandler> {
    let tls = try await tls(for: target)
    let connection = ClientBootstrap(group: eventLoop)
      .connectTimeout(AccountTimes.connect)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = AccountHandler(setting, tls: tls, receive)
          try channel.pipeline.syncOperations.addHandler(handler)
          if target.security == .direct { try handler.addTLS() }
        }
      }
      .connect(host: target.server.host, port: target.server.port)
    do {
      let channel = try await connection.value()
      return try await channel.eventLoop.submit {
        NIOLoopBound(
          try channel.pipeline.syncOperations.handler(type: AccountHandler.self), eventLoop: channel.eventLoop)
      }.value()
    } catch {
      // Who gave up in the meantime wants none.
      connection.whenSuccess { $0.close(promise: nil) }
      throw Self.problem(error, target)
    }
  }

  /// To be made off the loop: the system's authorities are read.
  private func tls(for target: ServerTarget) async throws(AccountProblem) -> TLSConfiguration {
    let (domain, authorities) = (configuration.address.domainpart, authorities)
    let trust = configuration.fingerprint.map { TLSConfiguration.UpstreamTrust.fingerprint($0) } ?? .systemCAs
    do {
      let tls = try await NIOThreadPool.singleton.runIfActive {
        try TLSConfiguration.upstream(host: domain, trust: trust, authorities: authorities)
      }
      // A port may have several protocols behind TLS (XEP-0368 §4).
      return target.security == .direct ? tls.speaking("xmpp-client") : tls
    } catch {
      throw AccountProblem(.tls, "no TLS for \(domain) can be set up: \(error)")
    }
  }

  private static func problem(_ error: any Error, _ target: ServerTarget) -> AccountProblem {
    switch error {
    case let error as AccountProblem: return error
    case is CancellationError: return AccountProblem(.lost, "the attempt was given up")
    case let error as NIOConnectionError:
      guard !error.connectionErrors.isEmpty else {
        return AccountProblem(
          .name, "the name \(target.server.host) is not known: is there a network, and a DNS? See `hearth doctor`")
      }
      let reasons = Set(error.connectionErrors.map { "\(reason($0.error))" }).sorted().joined(separator: ", ")
      return AccountProblem(.unreachable, "nobody answers at \(target): \(reasons)")
    case let error as TLSError: return AccountProblem(error, domain: target.server.host)
    default: return AccountProblem(.unreachable, "nobody answers at \(target): \(reason(error))")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as IOError: String(describing: error)
    case ChannelError.connectTimeout: "no answer"
    default: "\(error)"
    }
  }
}
