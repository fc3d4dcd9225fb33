import Codecs
import FoundationEssentials

/// A folder's list as JSON; a property for each key.
struct ListingDocument: Codable, Equatable {
  struct Entry: Codable, Equatable {
    enum Kind: String, Codable {
      case file
      case folder
    }

    /// For people: bytes that are no UTF-8 are replaced.
    var name: String
    /// Relative to the folder's address, percent-encoded; a folder's has a slash at its end.
    var url: String
    var type: Kind
    /// In bytes; absent for a folder.
    var size: Int?
    /// In UTC, as RFC 3339 has it.
    var modified: Date
  }

  /// In the order that was asked for, folders first.
  var entries: [Entry]
  /// Whether the folder has more than is listed.
  var truncated: Bool

  init(_ entries: [FolderListing.Entry], isCut: Bool) {
    self.entries = entries.map { entry in
      Entry(
        name: entry.text, url: entry.reference, type: entry.isFolder ? .folder : .file,
        size: entry.isFolder ? nil : entry.size, modified: entry.date)
    }
    truncated = isCut
  }

  var text: String {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A struct of strings, numbers and dates always encodes.
    return String(decoding: (try? encoder.encode(self)) ?? Data(), as: UTF8.self) + "\n"
  }
}

extension FolderListing.Entry {
  /// Its name for people.
  var text: String { String(decoding: name, as: UTF8.self) }

  /// Its address, relative to the folder's; each byte that could have a meaning is encoded.
  var reference: String { PercentEncoding.encode(name, except: .unreserved) + (isFolder ? "/" : "") }

  var date: Date { Date(timeIntervalSince1970: Double(modified)) }
}
