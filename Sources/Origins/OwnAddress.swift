import Codecs
import HTTPEdge

/// Turns what an app says about its own address into what holds wherever it is seen from (RFC 9110 §10.2.2).
struct OwnAddress {
  let scheme: String
  /// Host and port, as the app is asked for.
  let authority: String
  let base: String

  /// Nil where the reference is to be left as it is.
  func relative(_ reference: String) -> String? {
    guard let target = pathOnSelf(reference) else { return nil }
    var path = target
    if !base.isEmpty, path.hasPrefix(base) {
      let rest = path.dropFirst(base.count)
      if rest.isEmpty || rest.first == "/" || rest.first == "?" || rest.first == "#" { path = rest }
    }
    if path.first != "/" { return "/" + path }
    // Two slashes would name a host (RFC 3986 §4.2): a dot segment keeps them a path.
    return path.hasPrefix("//") || path.hasPrefix("/\\") ? "/." + path : String(path)
  }

  /// The app may spell itself in other ways than it is asked for: as its own machine, with or without the scheme's own port,
  /// or with whatever scheme the page has.
  private func pathOnSelf(_ reference: String) -> Substring? {
    let scheme = reference.prefix { $0 != ":" && $0 != "/" && $0 != "?" && $0 != "#" }
    let rest = reference[scheme.endIndex...]
    guard scheme.isEmpty ? rest.hasPrefix("//") : scheme.lowercased() == self.scheme && rest.hasPrefix("://") else {
      return reference.hasPrefix("/") && !base.isEmpty ? reference[...] : nil
    }
    let behind = rest.drop { $0 == ":" }.dropFirst(2)
    let named = behind.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard isOwn(named.lowercased()) else { return nil }
    let path = behind[named.endIndex...]
    return path.isEmpty ? "/" : path
  }

  private func isOwn(_ named: String) -> Bool {
    let (host, port) = parts(named)
    let own = parts(authority.lowercased())
    return port == own.port && (host == own.host || LoopbackHost.names.contains(String(host)))
  }

  /// Host and port; the port of the scheme where there is none.
  private func parts(_ authority: String) -> (host: Substring, port: Substring) {
    let (host, port) = Authority.split(authority)
    if let port, !port.isEmpty { return (host, port) }
    return (host, "\(scheme == "https" ? HTTPAddress.httpsPort : HTTPAddress.httpPort)")
  }
}
