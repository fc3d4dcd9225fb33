import Codecs
import HTTPEdge
import HTTPTypes
import HTTPX
import Mesh
import Trust
import XMPP

/// What changes in a request's head between a peer and the app (RFC 9110 §7.6).
struct ForwardedFields {
  private static let peer = name("Hearth-Peer")
  private static let peerID = name("Hearth-Peer-Id")
  private static let peerTrust = name("Hearth-Peer-Trust")
  private static let forwardedHost = name("X-Forwarded-Host")
  private static let forwardedProto = name("X-Forwarded-Proto")
  private static let forwardedFor = name("X-Forwarded-For")
  private static let host = name("Host")

  /// Only we say who asked and for what: these are removed as the peer sent them, and so is all of `Hearth-Peer-…`, for
  /// an app that knows more of them than we do.
  ///
  /// With them go the fields by which proxies in front of apps tell who has signed in, and what was asked before a URL was
  /// rewritten: apps that trust their proxy would take them from us.
  private static let ours: Set<String> = [
    "hearth-peer", "host", "forwarded", "via", "x-real-ip", "x-original-url", "x-original-uri", "x-rewrite-url",
    "x-remote-user",
    "x-webauth-user",
  ]
  private static let ourPrefixes = ["hearth-peer-", "x-forwarded-", "x-auth-request-", "remote-"]

  private static let initials = ASCIISet(String((ours + ourPrefixes).compactMap(\.first)))

  /// The names above are tokens.
  private static func name(_ text: String) -> HTTPField.Name { HTTPField.Name(text)! }

  /// The `Host` that the app expects: its own.
  private let authority: String
  /// Its origin, and the path there that is the device's root.
  private let origin: String
  private let base: String
  private let options: AppOptions

  init(_ address: HTTPAddress, base: String = "", options: AppOptions = AppOptions()) {
    self.options = options
    authority = address.authority
    origin = "\(address.scheme)://\(address.authority)"
    self.base = base
  }

  /// Sets `Host`, makes the device's origin the app's own, removes hop-by-hop fields, and says who asked in `Hearth-Peer…` and
  /// what the browser calls the device in `X-Forwarded-…`: one story, which every app that was tried takes. There is no
  /// `X-Forwarded-For` unless the app is to have it, since many refuse any, and a peer's name is none of its values (RFC 7239
  /// §6); and no `Via`. `AppOptions` says what else may be otherwise.
  ///
  /// - `Hearth-Peer`: a friend's petname, else the caller's address on the mesh, percent-encoded as in an `httpx` URI.
  ///   Only addresses hold an `@`: one without it could pass for a petname, and is left out, as is one that is not known.
  /// - `Hearth-Peer-Id`: the node id, all eight groups; absent without a key.
  /// - `Hearth-Peer-Trust`: `self` (the owner at this node), `friend`, `stranger` (a key that nobody knows) or `plaintext`
  ///   (whatever the name says, it may be anyone).
  /// - `X-Forwarded-Host`, `X-Forwarded-Proto`: what the front of the peer says that its client used, where it is an origin
  ///   of a front's or the loopback port of a forward. A stranger could put its own host into an app's mails otherwise.
  ///
  /// Names from the peer are compared as CGI, WSGI, Rack and PHP show them to an app, which do not tell `Hearth_Peer` from
  /// `Hearth-Peer`.
  func apply(to head: inout HTTPRequest, from caller: Caller) {
    let device = (head.authority ?? head.headerFields[Self.host]).map { "httpx://" + $0 }
    let browsers = browsersHost(head.headerFields)
    HopByHop.strip(&head)
    head.headerFields.removeAll { Self.isOurs($0.name) || $0.name == .expect }
    if options.host == .browser, let browsers {
      // Where the device is called by its own address, the browser meant it by this one.
      let seen = "http://" + browsers
      head.headerFields.mapReferencesOfRequest { Self.moved($0, from: device, to: seen) ?? $0 }
      head.authority = browsers
    } else {
      let (seen, own) = (browsers.map { "http://" + $0 }, origin)
      head.headerFields.mapReferencesOfRequest { reference in
        Self.moved(reference, from: device, to: own, base) ?? Self.moved(reference, from: seen, to: own, base)
          ?? reference
      }
      head.authority = authority
    }
    if options.gadget { return head.headerFields.removeAll { Self.isForLargeSites($0.name) } }
    let said = [
      (Self.peer, caller.shownName), (Self.peerID, caller.identity.id?.description),
      (Self.peerTrust, caller.standing.word), (Self.forwardedHost, browsers),
      (Self.forwardedProto, browsers.map { _ in "http" }),
      (Self.forwardedFor, options.forwardedFor ? caller.networkAddress : nil),
    ]
    // None of them is there any more.
    for case (let name, let value?) in said { head.headerFields.append(HTTPField(name: name, value: value)) }
  }

  /// The same below another origin; nil for a reference to elsewhere.
  private static func moved(_ reference: String, from old: String?, to new: String, _ base: String = "") -> String? {
    guard let old, reference.utf8.count >= old.utf8.count,
      reference.prefix(old.count).lowercased() == old.lowercased()
    else { return nil }
    let path = reference.dropFirst(old.count)
    guard let first = path.first else { return new }
    return "/?#".contains(first) ? new + base + path : nil
  }

  /// What browsers send that the server of a microcontroller has no use and little room for: some have 512 bytes for all
  /// fields, and Chromium alone sends 400 more. A WebSocket's own fields stay, and the field by which loops are found is ours.
  private static func isForLargeSites(_ name: HTTPField.Name) -> Bool {
    let name = name.canonicalName
    guard !name.hasPrefix("sec-websocket-") else { return false }
    return name.hasPrefix("sec-") || largeSites.contains(name)
  }

  private static let largeSites: Set<String> = [
    "upgrade-insecure-requests", "priority", "dnt", "accept-language", "hearth-via",
  ]

  /// `<label>.localhost[:port]`, or loopback at the port of a forward, which is all that a program can have used.
  private func browsersHost(_ fields: HTTPFields) -> String? {
    guard fields[values: Self.forwardedProto] == ["http"], let authority = fields[Self.forwardedHost],
      authority.utf8.count <= Self.authorityBytes
    else { return nil }
    let (host, port) = Authority.split(authority)
    guard port.map({ UInt16($0) != nil }) ?? true else { return nil }
    return Self.isLabelled(host) || port != nil && LoopbackHost.names.contains(String(host)) ? authority : nil
  }

  private static func isLabelled(_ host: Substring) -> Bool {
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    return labels.count == 2 && labels[1] == "localhost" && !labels[0].isEmpty
      && labels[0].utf8.allSatisfy(labelCharacters.contains)
  }

  private static let labelCharacters = ASCIISet("abcdefghijklmnopqrstuvwxyz-").union(.digits)
  /// Of a DNS label, the zone and a port.
  private static let authorityBytes = 63 + ".localhost".utf8.count + ":65535".utf8.count

  private static func isOurs(_ name: HTTPField.Name) -> Bool {
    // Most names begin with another letter than all of these, and need not be folded.
    guard let first = name.canonicalName.utf8.first, initials.contains(first) else { return false }
    let folded = name.folded
    return ours.contains(folded) || ourPrefixes.contains { folded.hasPrefix($0) }
  }
}

extension Caller {
  /// The IP address of its machine: this one, where it is the owner.
  fileprivate var networkAddress: String? { standing == .self ? "127.0.0.1" : identity.networkAddress }

  fileprivate var shownName: String? {
    if case .friend(let petname) = standing { return petname.text }
    return identity.address.flatMap { $0.localpart == nil ? nil : $0.fieldItem }
  }
}

extension JID {
  /// Percent-encoded, so that it is one item whoever splits the field.
  fileprivate var fieldItem: String { PercentEncoding.encode(text, except: .fieldItem) }
}
