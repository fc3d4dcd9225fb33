package import Mesh
package import NIOCore

extension Target {
  /// What answers for this target. Throws `FileFolderError` where a folder cannot be served.
  package func makeHandler(eventLoopGroup: any EventLoopGroup) throws -> any ServiceHandler {
    switch self {
    case .app(let address, let base): ReverseProxy(to: address, base: base, eventLoopGroup: eventLoopGroup)
    case .folder(let path): try FileFolder(path)
    }
  }
}
