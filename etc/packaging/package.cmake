# SPDX-License-Identifier: GPL-3.0-or-later
# What is installed where, and the Debian package.
include(GNUInstallDirs)

install(TARGETS natctl natctl-agent natctl-tunnel DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES etc/systemd/natctl-agent.service etc/systemd/natctl-tunnel.service DESTINATION lib/systemd/system)
install(FILES etc/sysctl.d/natctl.conf DESTINATION lib/sysctl.d RENAME 50-natctl.conf)
install(FILES etc/bash-completion/natctl DESTINATION share/bash-completion/completions)
install(DIRECTORY etc/examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES etc/grafana/natctl.json DESTINATION share/natctl/grafana)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/architecture.md docs/guide.md docs/performance.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
# Where site.toml and the files with passwords go.
install(DIRECTORY DESTINATION /etc/natctl DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
  GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# Debian wants these compressed, without a time stamp in them.
set(compressed)
function(compress source target)
  add_custom_command(OUTPUT ${target} DEPENDS ${CMAKE_SOURCE_DIR}/${source} VERBATIM
    COMMAND sh -c "gzip -9nc \"$1\" > \"$2\"" compress ${CMAKE_SOURCE_DIR}/${source} ${target})
  set(compressed ${compressed} ${target} PARENT_SCOPE)
endfunction()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/compressed)
foreach(page natctl.8 natctl-agent.8 natctl-tunnel.8 site.toml.5)
  compress(docs/man/${page} ${CMAKE_BINARY_DIR}/compressed/${page}.gz)
  string(REGEX MATCH "[0-9]$" section ${page})
  install(FILES ${CMAKE_BINARY_DIR}/compressed/${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
compress(CHANGELOG.md ${CMAKE_BINARY_DIR}/compressed/changelog.gz)
install(FILES ${CMAKE_BINARY_DIR}/compressed/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
add_custom_target(natctl_documents ALL DEPENDS ${compressed})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME natctl)
set(CPACK_PACKAGE_CONTACT "The natctl maintainers <maintainers@natctl.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "lets sites with equal addresses talk to each other")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Two or more sites whose LANs use the same addresses reach each other under
virtual addresses, translated by their routers alone: no host changes anything.
natctl programs nftables, routes and policy rules from one file, site.toml; its
tunnel carries TCP and UDP over SOCKS5 where there is no overlay network
between the routers.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "nftables, conntrack, wireguard-tools, v2ray")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/etc/packaging/postinst ${CMAKE_SOURCE_DIR}/etc/packaging/prerm
  ${CMAKE_SOURCE_DIR}/etc/packaging/postrm)
include(CPack)
