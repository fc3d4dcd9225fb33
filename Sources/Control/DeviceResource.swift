package import FoundationEssentials

/// A device as the control socket and `hearth devices --json` show it: a property for each of its keys.
package struct DeviceResource: Codable, Sendable, Hashable {
  package struct Address: Codable, Sendable, Hashable {
    package let address: String
    package let port: Int
    /// The interface's name, as in `eth0`.
    package let interface: String

    package init(address: String, port: Int, interface: String) {
      self.address = address
      self.port = port
      self.interface = interface
    }
  }

  package enum State: String, Codable, Sendable {
    /// Announced, and nothing speaks against it.
    case online
    /// Listed by mDNS, yet it does not answer.
    case away
    /// Said goodbye, or expired.
    case gone
  }

  /// What this node makes of it, and by which key.
  package struct Trust: Sendable, Hashable {
    /// `self`, `friend`, `stranger`, `plaintext`, `CHANGED` or `blocked`.
    package let word: String
    package let node: String?
    package let petname: String?
    /// Why it is refused, with both keys where that is the reason.
    package let problem: String?
    /// Since when a friend's node does not count this one among its own.
    package let renounced: Date?

    package init(
      word: String, node: String? = nil, petname: String? = nil, problem: String? = nil, renounced: Date? = nil
    ) {
      self.word = word
      self.node = node
      self.petname = petname
      self.problem = problem
      self.renounced = renounced
    }
  }

  /// `via` of what is on the link, or of this node.
  package static let onLink = "link"

  package let jid: String
  package let name: String
  package let state: State
  /// Whether `state` says so.
  package let online: Bool
  /// Whether it answers HTTP; null while nobody has asked it.
  @Nullable package private(set) var http: Bool?
  /// `avail`, `away`, `dnd`, or what a foreign client says.
  package let status: String
  @Nullable package private(set) var message: String?
  /// Where it can be reached; none once it is gone.
  package let addresses: [Address]
  /// `link`, or the server over which it is reached.
  package let via: String
  /// When the link, or its node over a server, last told of it (ISO 8601, UTC).
  package let seen: Date
  /// What a browser on this machine opens; null where that would lead nowhere.
  @Nullable package private(set) var url: String?
  /// `self`, `friend`, `stranger`, `plaintext`, `CHANGED` or `blocked`; null where no daemon runs that could tell.
  @Nullable package private(set) var trust: String?
  /// The id of its node: announced by a stranger's device, proven by a friend's.
  @Nullable package private(set) var node: String?
  /// What the owner calls its node; null where that is no friend.
  @Nullable package private(set) var petname: String?
  /// Since when the friend that it belongs to does not count this node among its own any more, as far as that is known; null
  /// where it does.
  @Nullable package private(set) var renounced: Date?
  /// Whether its last connection with this node was encrypted, which without a key proves nothing: `trust` is `plaintext`
  /// either way. Null while there was none.
  @Nullable package private(set) var encrypted: Bool?
  /// Why it is refused; null where it is not.
  @Nullable package private(set) var problem: String?
  /// Whether its app answers; null where nothing is known of it, as of other nodes' that were
  /// not asked lately, or answered.
  @Nullable package private(set) var health: HealthResource?

  package init(
    jid: String, name: String, state: State, http: Bool?, status: String, message: String?, addresses: [Address],
    via: String = onLink, seen: Date, url: String?, trust: Trust?, encrypted: Bool? = nil, health: HealthResource? = nil
  ) {
    self.jid = jid
    self.name = name
    self.state = state
    online = state == .online
    self.status = status
    self.addresses = addresses
    self.via = via
    self.seen = seen
    self.http = http
    self.message = message
    self.url = url
    self.trust = trust?.word
    node = trust?.node
    petname = trust?.petname
    problem = trust?.problem
    renounced = trust?.renounced
    self.encrypted = encrypted
    self.health = health
  }
}

/// The answer to `GET /v1/devices`.
package struct DeviceList: Codable, Sendable, Hashable {
  package let devices: [DeviceResource]

  package init(_ devices: [DeviceResource]) {
    self.devices = devices
  }
}

/// A line of `GET /v1/devices?watch`.
package enum DeviceEvent: Sendable, Hashable {
  /// It was there when the watch began.
  case present(DeviceResource)
  /// It came, changed, or went.
  case changed(DeviceResource)
  /// All that were there have been told.
  case listed

  package var device: DeviceResource? {
    switch self {
    case .present(let device), .changed(let device): device
    case .listed: nil
    }
  }
}

extension DeviceEvent: Codable {
  private enum Word: String, Codable {
    case present, changed, listed
  }

  private enum CodingKeys: CodingKey {
    case event
  }

  private var word: Word {
    switch self {
    case .present: .present
    case .changed: .changed
    case .listed: .listed
    }
  }

  package init(from decoder: any Decoder) throws {
    switch try decoder.container(keyedBy: CodingKeys.self).decode(Word.self, forKey: .event) {
    case .present: self = .present(try DeviceResource(from: decoder))
    case .changed: self = .changed(try DeviceResource(from: decoder))
    case .listed: self = .listed
    }
  }

  /// The keys of the device, and `event`.
  package func encode(to encoder: any Encoder) throws {
    try device?.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(word, forKey: .event)
  }
}
