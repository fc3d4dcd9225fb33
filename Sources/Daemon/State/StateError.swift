/// Why the state folder, or what is in it, cannot be used.
package enum StateError: Error, CustomStringConvertible {
  case unusable(SystemError)
  /// Another daemon holds the lock.
  case inUse(String)
  /// It belongs to another user.
  case foreign(String)
  /// Others may read what they must not.
  case exposed(String, mode: UInt32, wanted: UInt32)
  /// The file holds something that this version cannot read; it was left as it is.
  case damaged(String, reason: String)
  /// The same, of a file with a copy of what it was before.
  case damagedWithCopy(String, copy: String, reason: String)
  /// A file is gone that must be there, since the other one is.
  case missing(String, besides: String, why: String)

  package var description: String {
    switch self {
    case .unusable(let error): "\(error); choose another folder with --state"
    case .inUse(let path):
      "\(path) is in use by another hearth daemon; stop that one, or choose another folder with --state"
    case .foreign(let path):
      "\(path) belongs to another user: start the daemon as that user, or give it away with chown USER \(path)"
    case .exposed(let path, let mode, let wanted):
      "\(path) is open to other users (mode \(Self.octal(mode))), and holds this node's secrets: "
        + "run chmod \(Self.octal(wanted)) \(path). If others may have read its key, "
        + "make a new one with hearth rotate-key"
    case .damaged(let file, let reason):
      "\(file) cannot be read (\(reason)); it was left untouched: repair it, or move it away to start without it"
    case .damagedWithCopy(let file, let copy, let reason):
      "\(file) cannot be read (\(reason)); it was left untouched, and so was \(copy), which holds what it was before "
        + "the last change: repair the first, or move it away and put a copy of the second in its place"
    case .missing(let file, let other, let why):
      "\(file) is missing while \(other) is there (\(why)): put it back, or move the other one away, too, to start anew"
    }
  }

  private static func octal(_ mode: UInt32) -> String { String(mode, radix: 8) }
}
