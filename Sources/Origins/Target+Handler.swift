package import Mesh
package import NIOCore

extension Target {
  /// What answers for this target. Throws `FileFolderError` where a folder cannot be served.
  ///
  /// - Parameter title: what people call the device.
  package func makeHandler(title: String, eventLoopGroup: any EventLoopGroup) throws -> any ServiceHandler {
    switch self {
    case .app(let address, let base): ReverseProxy(to: address, base: base, eventLoopGroup: eventLoopGroup)
    case .folder(let path, let isListed): try FileFolder(path, title: title, isListed: isListed)
    }
  }
}
