package import Trust

/// What `PUT /v1/services/{name}` takes; a property for each key.
package struct ServiceResource: Codable, Sendable, Hashable {
  /// `http://host:port`, `https://host:port`, `unix:/path`, or the absolute path of a folder.
  package var target: String
  package var title: String?
  package var description: String?
  /// Who may use it. Required: nothing is open that nobody opened.
  package var access: AccessResource
  /// `"servers too"`: with `access` `"public"`, whoever has an account on any XMPP server may use it as well.
  package var `public`: String?
  /// The only methods; nil: all.
  package var methods: [String]?
  /// The only paths, with all below them; nil: all.
  package var paths: [String]?
  /// Whether anyone on the link gets HTTP without TLS.
  package var plaintext: Bool?
  /// SHA-256 of the certificate of an `https` target, in hexadecimal.
  package var fingerprint: String?
  /// Whether any certificate of an `https` target will do.
  package var insecure: Bool?
  /// Whether folders without an index page are listed; only for a target that is a folder. Nil: they are.
  package var listing: Bool?
  /// What an app gets as `Host`: `app` (nil), its own, or `browser`.
  package var host: String?
  /// Whether an app gets the peer's IP address in `X-Forwarded-For`.
  package var forwardedFor: Bool?
  /// Whether an app has room for few fields: nothing is added, and what browsers send for large sites is left out.
  package var gadget: Bool?
  /// Seconds that an app has to begin its answer; nil: 300.
  package var timeout: Int?
  /// Whether an app's XML documents go to peers as XML, where they survive that.
  package var xml: Bool?

  package init(
    target: String, title: String? = nil, description: String? = nil, access: AccessResource, public: String? = nil,
    methods: [String]? = nil, paths: [String]? = nil, plaintext: Bool? = nil, fingerprint: String? = nil,
    insecure: Bool? = nil, listing: Bool? = nil, host: String? = nil, forwardedFor: Bool? = nil, gadget: Bool? = nil,
    timeout: Int? = nil, xml: Bool? = nil
  ) {
    self.target = target
    self.title = title
    self.description = description
    self.access = access
    self.public = `public`
    self.methods = methods
    self.paths = paths
    self.plaintext = plaintext
    self.fingerprint = fingerprint
    self.insecure = insecure
    self.listing = listing
    self.host = host
    self.forwardedFor = forwardedFor
    self.gadget = gadget
    self.timeout = timeout
    self.xml = xml
  }

  /// Throws `TrustError` where the rules cannot be meant.
  package var policy: AccessPolicy {
    get throws(TrustError) {
      var (access, accounts) = try access.audience
      accounts.anyone = try Self.isForServers(`public`)
      return try AccessPolicy(
        access: access, accounts: accounts, methods: methods, paths: paths, plaintext: plaintext ?? false)
    }
  }
}

extension ServiceResource {
  /// The one word that opens a service to the world's servers; everything else is a mistake.
  package static let serversToo = "servers too"

  package static func isForServers(_ word: String?) throws(TrustError) -> Bool {
    switch word {
    case nil: false
    case serversToo: true
    case let word?: throw TrustError(.policy, "public is “\(word)”; it must be \"\(serversToo)\", or be left out")
    }
  }
}

/// What `PUT /v1/services/{name}` answers.
package struct ServedResource: Codable, Sendable, Hashable {
  /// As it is announced, which on a conflict is another one than was asked for.
  package var jid: String
  /// What the owner should know, in whole sentences.
  package var warnings: [String]

  package init(jid: String, warnings: [String]) {
    self.jid = jid
    self.warnings = warnings
  }
}
