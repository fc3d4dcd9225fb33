import CResolver
import EventLoops
import NIOCore
import NIOPosix
import XMPP

/// Where the servers of a domain are: as the configuration says, else the DNS (RFC 6120 §3.2.1, XEP-0368).
struct ServerResolver: Sendable {
  struct Record: Hashable, Sendable {
    var priority: UInt16
    var weight: UInt16
    var port: UInt16
    /// Empty: the service is not there at all.
    var host: String
  }

  /// What the DNS says to one question.
  enum Answer: Hashable, Sendable {
    case records([Record])
    case none
    case failure
  }

  let eventLoop: any EventLoop
  /// Asks for SRV records by their whole name; blocks.
  var ask: @Sendable (_ name: String) -> Answer = { Self.system($0) }

  /// In the order in which they are to be tried: at least one.
  func targets(for configuration: AccountConfiguration) async throws(AccountProblem) -> [ServerTarget] {
    if let server = configuration.server { return [ServerTarget(server, configuration.security ?? .startTLS)] }
    let domain = configuration.address.domainpart
    let itself = ServerTarget(.init(host: domain, port: 5222), configuration.security ?? .startTLS)
    guard IPv6Literal.host(domain) == nil, (try? SocketAddress(ipAddress: domain, port: 0)) == nil else {
      return [ServerTarget(.init(host: IPv6Literal.host(domain) ?? domain, port: 5222), itself.security)]
    }
    async let direct = answer("_xmpps-client._tcp.\(domain).", configuration.security == .startTLS)
    async let startTLS = answer("_xmpp-client._tcp.\(domain).", configuration.security == .direct)
    let records =
      Self.records(await direct, .direct, domain) + Self.records(await startTLS, .startTLS, domain)
    var generator = SystemRandomNumberGenerator()
    guard let targets = ServiceRecord.ordered(records, using: &generator) else {
      throw AccountProblem(.name, "the DNS says that \(domain) has no XMPP server for clients")
    }
    return targets.isEmpty ? [itself] : Array(targets.prefix(AccountLimits.targets))
  }

  /// The name service may hang for longer than anyone waits; its thread is free again when it has given up.
  private func answer(_ name: String, _ isUnwanted: Bool) async -> Answer {
    guard !isUnwanted else { return .none }
    let promise = eventLoop.makePromise(of: Answer.self)
    NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { ask(name) }.cascade(to: promise)
    let timer = eventLoop.scheduleTask(in: AccountTimes.resolution) { promise.succeed(.failure) }
    defer { timer.cancel() }
    return (try? await promise.futureResult.value()) ?? .failure
  }

  private static func records(
    _ answer: Answer, _ security: AccountConfiguration.Security, _ domain: String
  ) -> [ServiceRecord] {
    guard case .records(let records) = answer else { return [] }
    return records.map {
      ServiceRecord(
        priority: $0.priority, weight: $0.weight,
        target: ServerTarget(.init(host: $0.host, port: Int($0.port)), security))
    }
  }

  private static func system(_ name: String) -> Answer {
    var services = [CResolver_service](repeating: CResolver_service(), count: AccountLimits.serviceRecords)
    let count = CResolver_services(name, &services, Int32(services.count))
    switch -count {
    case HOST_NOT_FOUND, NO_DATA: return .none
    case _ where count < 0: return .failure
    default: return .records(services.prefix(Int(count)).map(Self.record))
    }
  }

  /// The records of an answer as it came; nil where it cannot be read.
  static func parse(_ message: [UInt8]) -> Answer? {
    var services = [CResolver_service](repeating: CResolver_service(), count: AccountLimits.serviceRecords)
    let count = CResolver_services_of(message, Int32(message.count), &services, Int32(services.count))
    return count < 0 ? nil : .records(services.prefix(Int(count)).map(Self.record))
  }

  private static func record(_ service: CResolver_service) -> Record {
    let host = withUnsafeBytes(of: service.target) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return Record(
      priority: service.priority, weight: service.weight, port: service.port, host: host == "." ? "" : host)
  }
}

/// `[::1]` as the domain of an address (RFC 7622 §3.2).
private enum IPv6Literal {
  static func host(_ domain: String) -> String? {
    domain.hasPrefix("[") && domain.hasSuffix("]") ? String(domain.dropFirst().dropLast()) : nil
  }
}
