module example.org/sectile-c

go 1.21
