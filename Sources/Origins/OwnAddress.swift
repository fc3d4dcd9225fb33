import HTTPTypes

/// Turns what an app says about its own address into what holds wherever it is seen from (RFC 9110 §10.2.2).
struct OwnAddress {
  let scheme: String
  /// Host and port, as the app is asked for.
  let authority: String
  let base: String

  /// Makes `Location` and `Content-Location` relative where they point to the app itself.
  func makeRelative(_ fields: inout HTTPFields) {
    for name in [HTTPField.Name.location, .contentLocation] {
      if let value = fields[name], let path = relative(value) { fields[name] = path }
    }
  }

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

  private func pathOnSelf(_ reference: String) -> Substring? {
    let lowered = reference.lowercased()
    for prefix in ["\(scheme)://\(authority)", "//\(authority)"] where lowered.hasPrefix(prefix.lowercased()) {
      let rest = reference.dropFirst(prefix.count)
      guard let first = rest.first else { return "/" }
      return "/?#".contains(first) ? rest : nil
    }
    let isOwnPath = reference.hasPrefix("/") && !reference.hasPrefix("//") && !base.isEmpty
    return isOwnPath ? reference[...] : nil
  }
}
