/// What programs of this machine call this machine in `Host`, in small letters.
package enum LoopbackHost {
  package static let names: Set<String> = ["localhost", "127.0.0.1", "[::1]"]
}
