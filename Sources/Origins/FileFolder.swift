import Codecs
import HTTPTypes
package import HTTPX
package import Mesh
package import NIOPosix

/// Answers with the files of a folder: ranges, conditional requests and index pages; GET and HEAD only.
///
/// Nothing outside the folder is ever sent, whatever the path decodes to and wherever symlinks point; hidden files, those
/// whose name starts with a dot, do not exist. Folders without an `index.html` are listed, unless their owner wants none of
/// it. Files are read on a thread pool, as fast as they are taken.
package struct FileFolder: ServiceHandler {
  private static let index = Array("index.html".utf8)

  private let path: String
  private let folder: ServedFolder
  /// What lists of files call the folder.
  private let title: String
  private let isListed: Bool
  private let threads: NIOThreadPool

  /// Throws `FileFolderError` where there is no such folder, or this process may not read it.
  ///
  /// - Parameter isListed: whether folders without an `index.html` are listed.
  package init(
    _ path: String, title: String = "Files", isListed: Bool = true, threads: NIOThreadPool = .singleton
  ) throws {
    self.path = path
    folder = try ServedFolder(path, isListed: isListed)
    self.title = title
    self.isListed = isListed
    self.threads = threads
  }

  package func respond(
    to request: HTTPXRequest, from caller: Caller, send: (HTTPXResponse) async throws -> Void
  ) async throws {
    try await send(try await response(to: request.head))
  }

  package func check() async throws(OriginFailure) {
    let failure = try? await threads.runIfActive { look() }
    if let failure = failure ?? nil { throw failure }
  }

  /// Why the folder cannot be served any more. Blocks.
  private func look() -> OriginFailure? {
    do throws(FileFolderError) {
      _ = try ServedFolder(path, isListed: isListed)
      return nil
    } catch {
      return OriginFailure(.unreachable, error: "destination_unavailable", reason: error.description)
    }
  }

  private func response(to head: HTTPRequest) async throws -> HTTPXResponse {
    guard head.method == .get || head.method == .head else {
      return .refusal(.methodNotAllowed, "Files can be read only.", [.allow: "GET, HEAD"], to: head.method)
    }
    switch FilePath(head.path ?? "") {
    case .bad: return .refusal(.badRequest, "This is no path.", to: head.method)
    case .hidden: return notFound(head)
    case .file(let path): return try await found(head) { try file(path, head) }
    case .folder(let path): return try await found(head) { try page(path, head) }
    }
  }

  /// What `find` finds, on a thread that may block; nil is a 404, and what may not be read a 403.
  private func found(
    _ head: HTTPRequest, _ find: @escaping @Sendable () throws -> HTTPXResponse?
  ) async throws -> HTTPXResponse {
    do {
      return try await threads.runIfActive { try find() ?? missing(head) }
    } catch Descriptor.Failure.forbidden {
      return .refusal(
        .forbidden, "The program that serves this may not read it: whoever runs it can permit that.", to: head.method)
    }
  }

  private func file(_ path: [UInt8], _ head: HTTPRequest) throws -> HTTPXResponse? {
    guard let place = try folder.place(path) else { return nil }
    return place.status.kind == .folder ? redirect(head) : try content(of: place, named: path, head)
  }

  /// A folder's index page, or else its list.
  private func page(_ path: [UInt8], _ head: HTTPRequest) throws -> HTTPXResponse? {
    if let index = try folder.place(path + Self.index), index.status.kind == .file {
      return try content(of: index, named: Self.index, head)
    }
    guard isListed, let place = try folder.place(path), place.status.kind == .folder else { return nil }
    return ListingAnswer(listing: try FolderListing(of: place, in: folder), title: title, path: path).response(to: head)
  }

  /// A file that is small is read at once, where its bytes are wanted.
  private func content(of place: Place, named name: [UInt8], _ head: HTTPRequest) throws -> HTTPXResponse {
    let file = try OpenFile(place)
    let isSmall = head.method == .get && file.size <= OriginLimits.filePart
    return FileAnswer(
      file: file, name: String(decoding: name, as: UTF8.self), small: isSmall ? try file.read(file.size, at: 0) : nil,
      threads: threads
    ).response(to: head)
  }

  /// A 404, which says so where the folder itself is gone.
  private func missing(_ head: HTTPRequest) -> HTTPXResponse {
    var response = notFound(head)
    if let failure = look() { response.failure = failure }
    return response
  }

  private func notFound(_ head: HTTPRequest) -> HTTPXResponse {
    .refusal(.notFound, "There is no such file.", to: head.method)
  }

  /// Relative links in a folder's page need the slash (RFC 3986 §5.2.3).
  private func redirect(_ head: HTTPRequest) -> HTTPXResponse? {
    guard let target = head.path.flatMap(RequestTarget.init) else { return nil }
    let location = target.path + "/" + target.query
    return .plain(.movedPermanently, "This is a folder.", [.location: String(location)], to: head.method)
  }
}
