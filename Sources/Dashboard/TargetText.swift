import Codecs

/// What a person types for what answers for a device, on the command line and in the form of the dashboard.
package enum TargetText {
  /// As the daemon wants it: `3000`, `:3000`, `localhost:3000`, `[::1]:3000/base` are apps, over HTTP, and of this machine where
  /// no host is said; all else stays.
  ///
  /// - Parameter folder: where whoever types is, and paths that are not absolute begin: those of folders, and of sockets behind
  ///   `unix:`. nil where there is no such folder.
  package static func spelledOut(_ text: String, from folder: String? = nil) -> String {
    if let app = app(text) { return app }
    guard let folder else { return text }
    let (scheme, path) = text.hasPrefix("unix:") ? ("unix:", text.dropFirst(5)) : ("", text[...])
    if path.isEmpty || path.hasPrefix("/") || path.contains("://") { return text }
    let relative = path.hasPrefix("./") ? path.dropFirst(2) : path == "." ? "" : path
    return scheme + (relative.isEmpty ? folder : "\(folder)/\(relative)")
  }

  /// nil for what does not end, before its first slash, in a port.
  private static func app(_ text: String) -> String? {
    let authority = text.prefix { $0 != "/" }
    let port = authority.lastIndex(of: ":").map { authority[authority.index(after: $0)...] } ?? authority
    guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
    let host = authority.dropLast(port.count)
    guard host.isEmpty || host.last == ":", !host.hasPrefix("unix:") else { return nil }
    return host.count < 2 ? "http://localhost:\(port)\(text[authority.endIndex...])" : "http://\(text)"
  }
}
