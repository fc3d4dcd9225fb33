package import FoundationEssentials

/// The account on an XMPP server as the control socket and `hearth account status --json` show it; a property for each key.
package struct AccountResource: Codable, Sendable, Hashable {
  /// New words may come.
  package enum State: String, Codable, Sendable {
    /// There is none.
    case off
    /// A connection is being made.
    case connecting
    case online
    /// Until the next attempt.
    case waiting
    /// Nothing is tried before somebody has changed something: see `problem`.
    case stopped
  }

  package struct Problem: Codable, Sendable, Hashable {
    /// One word, such as `password` or `certificate`.
    package let code: String
    /// What happened, and what to do about it.
    package let message: String
    package let at: Date

    package init(code: String, message: String, at: Date) {
      (self.code, self.message, self.at) = (code, message, at)
    }
  }

  /// A friend whose account is known.
  package struct Friend: Codable, Sendable, Hashable {
    /// New words may come.
    package enum State: String, Codable, Sendable {
      /// Its node is not there.
      case offline
      /// It is, and has not told its devices.
      case online
      /// It has, with its key.
      case reached
    }

    package let petname: String
    package let account: String
    package let state: State
    /// Why it has not.
    @Nullable package private(set) var problem: String?

    package init(petname: String, account: String, state: State, problem: String? = nil) {
      (self.petname, self.account, self.state) = (petname, account, state)
      self.problem = problem
    }
  }

  package let state: State
  /// Bare; null where there is none.
  @Nullable package private(set) var jid: String?
  /// Whether it stands in `hearth.toml`.
  package let configured: Bool
  /// Since when the state is what it is.
  @Nullable package private(set) var since: Date?
  /// `host:port` of the connection, or of the last one.
  @Nullable package private(set) var server: String?
  /// `direct` or `starttls`.
  @Nullable package private(set) var tls: String?
  /// How the last login went, as in `SCRAM-SHA-256-PLUS`.
  @Nullable package private(set) var mechanism: String?
  /// What binds it to the connection, as in `tls-exporter`; null: nothing does.
  @Nullable package private(set) var binding: String?
  /// With resource; null while there is no session.
  @Nullable package private(set) var bound: String?
  /// Whether a broken connection can be gone on with.
  package let resumable: Bool
  /// How often one was.
  package let resumptions: Int
  /// Whether friends' nodes may reach this one over it.
  package let relay: Bool
  /// Whether friends learn of it.
  package let share: Bool
  /// The last one.
  @Nullable package private(set) var problem: Problem?
  /// `host:port` of the server's proxy for bytestreams (XEP-0065); null where it offers none, or was not asked yet.
  @Nullable package private(set) var proxy: String?
  /// The service that answers foreign peers at its address; null: none.
  @Nullable package private(set) var serve: String?
  /// Accounts that want to be contacts, and wait for the owner's word.
  package let asking: [String]
  /// By petname.
  package let friends: [Friend]

  package init(
    state: State, jid: String? = nil, configured: Bool = false, since: Date? = nil, server: String? = nil,
    tls: String? = nil, mechanism: String? = nil, binding: String? = nil, bound: String? = nil, resumable: Bool = false,
    resumptions: Int = 0, relay: Bool = false, share: Bool = false, problem: Problem? = nil, proxy: String? = nil,
    serve: String? = nil, asking: [String] = [], friends: [Friend] = []
  ) {
    self.asking = asking
    self.friends = friends
    self.state = state
    self.configured = configured
    self.resumable = resumable
    self.resumptions = resumptions
    self.relay = relay
    self.share = share
    self.jid = jid
    self.since = since
    self.server = server
    self.tls = tls
    self.mechanism = mechanism
    self.binding = binding
    self.bound = bound
    self.problem = problem
    self.proxy = proxy
    self.serve = serve
  }
}

/// What `PUT /v1/account` takes; a property for each key.
package struct AccountLogin: Codable, Sendable, Hashable {
  package let jid: String
  package let password: String

  package init(jid: String, password: String) {
    (self.jid, self.password) = (jid, password)
  }
}
