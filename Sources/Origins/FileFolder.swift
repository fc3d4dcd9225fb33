import Codecs
import HTTPTypes
package import HTTPX
package import Mesh
import NIOCore
package import NIOPosix

/// A folder that cannot be served, or a file that could not be sent to its end.
package struct FileFolderError: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// Answers with the files of a folder: ranges, conditional requests and index pages; GET and HEAD only.
///
/// Nothing outside the folder is ever sent, whatever the path decodes to and wherever symlinks point; hidden files, those
/// whose name starts with a dot, do not exist. Folders without an `index.html` are not listed. Files are read on a thread
/// pool, as fast as they are taken.
package struct FileFolder: ServiceHandler {
  private static let index = "index.html"

  private let root: String
  private let threads: NIOThreadPool

  /// Throws `FileFolderError` where there is no such folder.
  package init(_ path: String, threads: NIOThreadPool = .singleton) throws {
    root = try OpenFile.root(path)
    self.threads = threads
  }

  package func respond(
    to request: HTTPXRequest, from caller: Caller, send: (HTTPXResponse) async throws -> Void
  ) async throws {
    try await send(try await response(to: request.head))
  }

  private func response(to head: HTTPRequest) async throws -> HTTPXResponse {
    guard head.method == .get || head.method == .head else {
      return .plain(.methodNotAllowed, "Files can be read only.", [.allow: "GET, HEAD"], to: head.method)
    }
    switch FilePath(head.path ?? "") {
    case .bad: return .plain(.badRequest, "This is no path.", to: head.method)
    case .hidden: return notFound(head)
    case .file(let path): return try await file(path, head)
    case .folder(let path): return try await file(path + Self.index, head)
    }
  }

  private func file(_ path: String, _ head: HTTPRequest) async throws -> HTTPXResponse {
    let loads = head.method == .get
    let (found, small) = try await threads.runIfActive { [root] in
      let found = try OpenFile.find(path, below: root)
      guard loads, case .file(let file) = found, file.size <= OriginLimits.filePart else {
        return (found, nil as ByteBuffer?)
      }
      return (found, try file.read(file.size, at: 0))
    }
    switch found {
    case .nothing: return notFound(head)
    case .folder: return redirect(head)
    case .file(let file):
      return FileAnswer(file: file, name: path, small: small, threads: threads).response(to: head)
    }
  }

  private func notFound(_ head: HTTPRequest) -> HTTPXResponse {
    .plain(.notFound, "There is no such file.", to: head.method)
  }

  /// Relative links in a folder's page need the slash (RFC 3986 §5.2.3). With it, there is no such page.
  private func redirect(_ head: HTTPRequest) -> HTTPXResponse {
    guard let target = head.path.flatMap(RequestTarget.init), !target.path.hasSuffix("/") else { return notFound(head) }
    let location = target.path + "/" + target.query
    return .plain(.movedPermanently, "This is a folder.", [.location: String(location)], to: head.method)
  }
}

/// Which file a request target means, before anything is looked at.
enum FilePath: Equatable {
  /// Relative to the folder, without slash at its ends.
  case file(String)
  /// Relative to the folder; empty, or with a slash at its end.
  case folder(String)
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
    var names: [String] = []
    var isHidden = false
    for (index, segment) in segments.enumerated() {
      guard let bytes = RequestPath.decoded(segment) else {
        self = .bad
        return
      }
      let isEmptyInside = bytes.isEmpty && index < segments.count - 1
      isHidden = isHidden || isEmptyInside || bytes.first == 0x2E || bytes.contains(0x2F)
      guard let name = String(validating: bytes, as: UTF8.self) else {
        self = .hidden
        return
      }
      names.append(name)
    }
    let path = names.joined(separator: "/")
    self = isHidden ? .hidden : names.last?.isEmpty == true ? .folder(path) : .file(path)
  }
}
