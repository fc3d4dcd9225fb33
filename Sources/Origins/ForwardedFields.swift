import Codecs
import HTTPEdge
import HTTPTypes
import HTTPX
import Mesh
import Synchronization
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

  /// Only we say who asked and for what: these are removed as the peer sent them, and so is all of `Hearth-Peer-…`, for
  /// an app that knows more of them than we do.
  ///
  /// With them go the fields by which proxies in front of apps tell who has signed in, and what was asked before a URL was
  /// rewritten: apps that trust their proxy would take them from us.
  ///
  /// `Expect` was dealt with where HTTP over TCP began.
  private static let ours: Set<String> = [
    "hearth-peer", "host", "expect", "forwarded", "via", "x-real-ip", "x-original-url", "x-original-uri",
    "x-rewrite-url",
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
  private let callers = LastCaller()

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
  /// - `Hearth-Peer`: a friend's petname, percent-encoded where it is no ASCII, else the caller's address on the mesh, percent-encoded as in an `httpx` URI.
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
    let device = head.authority ?? head.headerFields.value(of: .host)
    HopByHop.strip(&head)
    let browsers = browsersHost(head.headerFields)
    // They came as they are to go.
    let keepsForwarded = browsers != nil && !options.gadget
    var index = 0
    while index < head.headerFields.count {
      let name = head.headerFields[index].name
      if keepsForwarded, name == Self.forwardedHost || name == Self.forwardedProto {
        index += 1
      } else if Self.isOurs(name) || options.gadget && Self.isForLargeSites(name) {
        head.headerFields[name] = nil
      } else {
        index += 1
      }
    }
    // None of these fields is there any more.
    if !options.gadget {
      for field in callers.fields(of: caller, { fields(of: caller) }) { head.headerFields.append(field) }
    }
    if options.host == .browser, let browsers {
      // Where the device is called by its own address, the browser meant it by this one.
      head.headerFields.mapReferencesOfRequest {
        Self.moved($0, from: ("httpx", device), to: "http://" + browsers) ?? $0
      }
      head.authority = browsers
    } else {
      head.headerFields.mapReferencesOfRequest { reference in
        Self.moved(reference, from: ("httpx", device), to: origin, base)
          ?? Self.moved(reference, from: ("http", browsers), to: origin, base) ?? reference
      }
      head.authority = authority
    }
  }

  private func fields(of caller: Caller) -> [HTTPField] {
    var fields: [HTTPField] = []
    if let name = caller.shownName { fields.append(HTTPField(name: Self.peer, value: name)) }
    if let id = caller.identity.id { fields.append(HTTPField(name: Self.peerID, value: id.description)) }
    fields.append(HTTPField(name: Self.peerTrust, value: caller.standing.word))
    if options.forwardedFor, let address = caller.networkAddress {
      fields.append(HTTPField(name: Self.forwardedFor, value: address))
    }
    return fields
  }

  /// The same below another origin; nil for a reference to elsewhere.
  private static func moved(
    _ reference: String, from: (scheme: String, authority: String?), to new: String, _ base: String = ""
  ) -> String? {
    guard let old = from.authority.map({ "\(from.scheme)://\($0)" }), reference.utf8.count >= old.utf8.count,
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
    guard fields.onlyValue(of: Self.forwardedProto) == "http", let authority = fields.onlyValue(of: Self.forwardedHost),
      authority.utf8.count <= Self.authorityBytes
    else { return nil }
    if Self.isLabelled(authority) { return authority }
    let (host, port) = Authority.split(authority)
    guard let port, UInt16(port) != nil else { return nil }
    return LoopbackHost.names.contains(String(host)) ? authority : nil
  }

  /// By bytes, since each request says it.
  private static func isLabelled(_ authority: String) -> Bool {
    var authority = authority
    return authority.withUTF8 { bytes in
      guard let dot = bytes.firstIndex(of: UInt8(ascii: ".")), dot > 0,
        bytes[..<dot].allSatisfy(labelCharacters.contains)
      else { return false }
      let end = bytes[dot...].firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
      guard bytes[dot..<end].elementsEqual(zone.utf8) else { return false }
      let port = bytes[end...].dropFirst()
      return end == bytes.count
        || !port.isEmpty && port.allSatisfy(\.isASCIIDigit) && UInt16(String(decoding: port, as: UTF8.self)) != nil
    }
  }

  private static let zone = ".localhost"

  private static let labelCharacters = ASCIISet("abcdefghijklmnopqrstuvwxyz-").union(.digits)
  /// Of a DNS label, the zone and a port.
  private static let authorityBytes = 63 + zone.utf8.count + ":65535".utf8.count

  private static func isOurs(_ name: HTTPField.Name) -> Bool {
    // Most names begin with another letter than all of these, and need not be folded.
    guard let first = name.canonicalName.utf8.first, initials.contains(first) else { return false }
    let folded = name.folded
    return ourPrefixes.contains { folded.hasPrefix($0) } || ours.contains(folded)
  }
}

/// What was said of who asked last, who mostly asks again. Behind a lock, since streams of several event loops ask one app.
private final class LastCaller: Sendable {
  private let last = Mutex<(caller: Caller, fields: [HTTPField])?>(nil)

  func fields(of caller: Caller, _ make: () -> [HTTPField]) -> [HTTPField] {
    last.withLock { last in
      if let last, last.caller == caller { return last.fields }
      let fields = make()
      last = (caller, fields)
      return fields
    }
  }
}

extension Caller {
  /// The IP address of its machine: this one, where it is the owner.
  fileprivate var networkAddress: String? { standing == .self ? "127.0.0.1" : identity.networkAddress }

  fileprivate var shownName: String? {
    if case .friend(let petname) = standing { return PercentEncoding.encode(petname.text, except: .fieldItem) }
    return identity.address.flatMap { $0.localpart == nil ? nil : $0.fieldItem }
  }
}

extension JID {
  /// Percent-encoded, so that it is one item whoever splits the field.
  fileprivate var fieldItem: String { PercentEncoding.encode(text, except: .fieldItem) }
}
