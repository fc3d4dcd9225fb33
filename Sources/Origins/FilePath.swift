import Codecs

/// Which file a request target means, before anything is looked at. Names are bytes, as the system has them: they need not
/// be UTF-8.
enum FilePath: Equatable {
  /// Relative to the folder, without slash at its ends.
  case file([UInt8])
  /// Relative to the folder; empty, or with a slash at its end.
  case folder([UInt8])
  /// Could only be a hidden file, the folder above, or none at all.
  case hidden
  /// Not a path: 400.
  case bad

  init(_ target: String) {
    guard let target = RequestTarget(target), target.staysAtHost, !target.path.hasPrefix("//") else {
      self = .bad
      return
    }
    let segments = target.path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    var names: [[UInt8]] = []
    for (index, segment) in segments.enumerated() {
      guard let name = RequestPath.decoded(segment) else {
        self = .bad
        return
      }
      // The folder itself (RFC 3986 §5.2.4); apt's flat repositories are asked for so.
      guard name == [UInt8(ascii: ".")] else {
        names.append(name)
        continue
      }
      if index == segments.count - 1 { names.append([]) }
    }
    let path = Array(names.joined(separator: [UInt8(ascii: "/")]))
    if !names.dropLast().allSatisfy(Self.isVisible) || names.last.map({ $0.isEmpty || Self.isVisible($0) }) == false {
      self = .hidden
    } else {
      self = names.last?.isEmpty == true ? .folder(path) : .file(path)
    }
  }

  /// Whether this is the name of a file that may be seen.
  static func isVisible(_ name: some Collection<UInt8>) -> Bool {
    !name.isEmpty && name.first != UInt8(ascii: ".") && !name.contains(UInt8(ascii: "/"))
  }
}
