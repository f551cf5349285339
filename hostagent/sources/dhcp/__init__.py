"""Who serves DHCP on this host, as it is found in processes, sockets, files and libvirt."""
