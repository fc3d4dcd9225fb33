import Account
import Codecs
import Control
import FoundationEssentials
import Logging
import Mesh
import NIOCore
import ServiceLifecycle
import TLS
import Trust
import XMPP

/// Which account on an XMPP server the node uses: that of `hearth.toml`, or that of `hearth account login`, which is kept on disk.
///
/// More than eight properties: what the file says, what is kept on disk, and what runs of both.
actor AccountBook {
  /// The password of an account of `hearth.toml`.
  static let variable = "HEARTH_ACCOUNT_PASSWORD"

  private var configured: Configuration.AccountSection
  private let store: AccountStore
  /// Of this node.
  private let id: NodeID
  /// Made where there is an account.
  private let eventLoop: @Sendable () -> any EventLoop
  private let logger: Logger
  private let passwordInEnvironment: String?
  /// Whether the owner hears of accounts that want to be contacts.
  private let takesRequests: Bool
  private var stored: AccountStore.Login?
  /// Whose `run` the runner calls.
  private var connection: ServerAccount?
  private var running: AccountConfiguration?
  private var isSharing = false
  private var served: String?
  /// What keeps an account from being used, where that is not the server.
  private var obstacle: String?

  /// Each connection as it is to be used from then on; nil: none any more.
  nonisolated let connections: AsyncStream<UsedAccount?>
  private nonisolated let changes: AsyncStream<UsedAccount?>.Continuation

  /// A connection, and what the owner wants of it.
  struct UsedAccount: Sendable {
    let connection: ServerAccount
    let settings: AccountSettings
  }

  init(
    configured: Configuration.AccountSection, store: AccountStore, id: NodeID,
    eventLoop: @escaping @Sendable () -> any EventLoop,
    takesRequests: Bool = true, environment: [String: String] = ProcessInfo.processInfo.environment, logger: Logger
  ) {
    self.configured = configured
    self.store = store
    self.id = id
    self.eventLoop = eventLoop
    passwordInEnvironment = environment[Self.variable].flatMap { $0.isEmpty ? nil : $0 }
    self.logger = logger
    self.takesRequests = takesRequests
    (connections, changes) = AsyncStream.makeStream()
  }

  /// An address that an account may have: with a user, bare.
  static func address(_ text: String) -> JID? {
    JID(text).flatMap { $0.resource == nil && $0.localpart?.isEmpty == false && !$0.domainpart.isEmpty ? $0 : nil }
  }

  /// Throws `StateError` where the stored login cannot be read.
  func start() throws {
    stored = try store.load()
    apply()
  }

  func reload(_ section: Configuration.AccountSection) {
    configured = section
    apply()
  }

  // MARK: What is used

  /// Begins anew where anything has changed, and where nothing is tried any more: whoever reloads wants that.
  private func apply(anew: Bool = false) {
    let wanted: AccountConfiguration?
    do {
      wanted = try configuration()
      obstacle = nil
    } catch {
      obstacle = error.message
      logger.error("the account is not used: \(error.message)")
      wanted = nil
    }
    guard
      anew || wanted != running || configured.isShared != isSharing || configured.served != served
        || connection?.status.state == .stopped
    else { return }
    running = wanted
    (isSharing, served) = (configured.isShared, configured.served)
    connection = wanted.map { ServerAccount($0, on: eventLoop(), logger: logger) }
    changes.yield(
      connection.map {
        UsedAccount(
          connection: $0,
          settings: AccountSettings(
            $0, isRelay: configured.isRelay, isShared: configured.isShared, served: configured.served))
      })
  }

  private var jid: JID? { configured.jid ?? stored?.jid }

  /// nil where there is no account. Throws where its password cannot be had.
  private func configuration() throws(ControlError) -> AccountConfiguration? {
    guard let jid else { return nil }
    return configuration(jid, try password(of: jid) ?? "")
  }

  private func configuration(_ jid: JID, _ password: String) -> AccountConfiguration {
    var configuration = AccountConfiguration(
      address: jid, password: password, server: configured.server, security: configured.tls,
      fingerprint: configured.fingerprint, allowsPlain: configured.allowsPlain, isRelay: configured.isRelay,
      isServing: configured.served != nil,
      node: id.description, resource: "hearth.\(id.short.asciiLowercased)")
    configuration.takesRequests = takesRequests
    configuration.isDirect = configured.isDirect
    return configuration
  }

  private func password(of jid: JID) throws(ControlError) -> String? {
    if let file = configured.passwordFile { return try Self.password(in: file) }
    if configured.jid != nil, let passwordInEnvironment { return passwordInEnvironment }
    return stored?.jid == jid ? stored?.password : nil
  }

  /// The first line.
  static func password(in file: String) throws(ControlError) -> String {
    do throws(StateError) {
      guard let bytes = try SecretFile.contents(of: file, limit: DaemonLimits.accountBytes) else {
        throw .unusable(SystemError("read", file, code: 2))
      }
      return String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
    } catch {
      throw ControlError(
        .failed,
        "the password in \(file) cannot be read: it has to be this user's own file, with mode 600 (\(error.reason))")
    }
  }

  // MARK: What an owner may do

  func logIn(_ login: AccountLogin) async throws -> AccountResource {
    guard let jid = Self.address(login.jid) else {
      throw ControlError(.invalid, "“\(login.jid)” is no address on a server: write it like pi@example.org.")
    }
    guard configured.jid == nil || configured.jid == jid else {
      throw ControlError(
        .conflict, "hearth.toml names another account, \(configured.jid?.text ?? ""): change it there.")
    }
    guard configured.passwordFile == nil, configured.jid == nil || passwordInEnvironment == nil else {
      let place = configured.passwordFile ?? "$\(Self.variable)"
      throw ControlError(.conflict, "The password of \(jid) is in \(place): change it there and reload the daemon.")
    }
    guard !login.password.isEmpty, login.password.utf8.count <= AccountLimits.passwordBytes,
      !login.password.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
    else { throw ControlError(.invalid, "A password has 1 to \(AccountLimits.passwordBytes) bytes, on one line.") }
    do throws(AccountProblem) {
      _ = try await AccountTrial(configuration(jid, login.password), on: eventLoop()).run()
    } catch {
      throw ControlError(error)
    }
    let new = AccountStore.Login(jid: jid, password: login.password)
    do {
      try store.save(new)
    } catch {
      throw ControlError(.failed, "The login was not kept: \(error).")
    }
    stored = new
    apply(anew: true)
    return resource()
  }

  func logOut() throws {
    guard stored != nil else {
      throw configured.jid == nil
        ? ControlError(.notFound, "There is no account.")
        : ControlError(.conflict, "The account stands in hearth.toml: remove [account] there and reload the daemon.")
    }
    do {
      try store.remove()
    } catch {
      throw ControlError(.failed, "The login was not forgotten: \(error).")
    }
    stored = nil
    apply()
  }

  /// Throws where nobody of this address waits.
  func answer(_ contact: String, accepting isAccepted: Bool) async throws(ControlError) {
    guard let connection, let jid = Self.address(contact), await connection.answer(jid, accepting: isAccepted) else {
      throw ControlError(.notFound, "“\(contact)” does not ask to be a contact: see `hearth requests`.")
    }
  }

  // MARK: How it is

  /// - Parameter report: of the ways over it.
  func resource(_ report: OfficeReport? = nil) -> AccountResource {
    guard let jid else { return AccountResource(state: .off) }
    let problem = obstacle.map { AccountResource.Problem(code: "unset", message: $0, at: Date()) }
    guard let status = connection?.status else {
      return AccountResource(
        state: .stopped, jid: jid.text, configured: configured.jid != nil, relay: configured.isRelay,
        share: configured.isShared, problem: problem)
    }
    return AccountResource(
      state: .init(status.state), jid: jid.text, configured: configured.jid != nil, since: status.since,
      server: status.target?.server.description, tls: status.target?.security.rawValue,
      mechanism: status.mechanism?.name,
      binding: status.mechanism?.binding?.rawValue, bound: status.boundAddress?.text, resumable: status.isResumable,
      resumptions: status.resumptions, relay: configured.isRelay, share: configured.isShared,
      problem: status.problem.map { problem in
        .init(code: problem.code.rawValue, message: problem.message, at: status.problemTime ?? status.since)
      },
      proxy: report?.proxy, serve: configured.served, asking: status.asking.map(\.text),
      friends: (report?.friends ?? []).map { friend in
        let state: AccountResource.Friend.State =
          switch friend.state {
          case .offline: .offline
          case .online: .online
          case .reached: .reached
          }
        return .init(
          petname: friend.petname.text, account: friend.account.text, state: state, problem: friend.problem)
      })
  }
}

/// Runs the account that is used, one after the other.
struct AccountRunner: Service {
  let book: AccountBook
  let node: Node

  func run() async {
    await withDiscardingTaskGroup { group in
      var current: ServerAccount?
      for await used in book.connections.cancelOnGracefulShutdown() {
        current?.retire()
        current = used?.connection
        guard let used else {
          node.forgetAccount()
          continue
        }
        group.addTask { await used.connection.run() }
        group.addTask { await node.use(used.settings) }
      }
      current?.retire()
    }
  }
}

extension AccountResource.State {
  fileprivate init(_ state: AccountStatus.State) {
    self =
      switch state {
      case .connecting: .connecting
      case .online: .online
      case .waiting: .waiting
      case .stopped: .stopped
      }
  }
}

extension ControlError {
  fileprivate init(_ problem: AccountProblem) {
    let code: Code =
      switch problem.code {
      case .password, .unset: .invalid
      case .timedOut: .timedOut
      case .name, .unreachable, .tls, .certificate, .mechanism, .forged, .conflict, .refused, .violation, .lost,
        .overflow:
        .unreachable
      }
    self.init(code, "\(problem.message.prefix(1).uppercased())\(problem.message.dropFirst()).")
  }
}

extension StateError {
  /// In few words, where the whole advice is about the state folder.
  fileprivate var reason: String {
    switch self {
    case .unusable(let error): error.reason
    case .foreign: "it belongs to another user"
    case .exposed: "others may read it"
    case .damaged(_, let reason), .damagedWithCopy(_, _, let reason): reason
    case .inUse, .missing: "it is not there"
    }
  }
}
